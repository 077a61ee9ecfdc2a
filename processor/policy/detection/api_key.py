"""Secrets that programs sign in with, by the beginnings that their issuers give them so that they are found.

The forms are those that issuers document (AWS, unique identifiers of IAM; GitHub, token formats; and so on),
and the JSON web token (RFC 7519): two objects in base64url, which begin with eyJ, and a signature. What has
no such beginning (a password, AWS's secret half) has no form either, and is not found.
"""

from __future__ import annotations

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer

_ANY = "[0-9A-Za-z_-]"  # of base64url

# Possessive where the end is not fixed: what follows is never in the same set, so nothing is gained by
# giving signs back. A JWT starts apart from its own signs, so that no sign is in the run of two starts.
PATTERN = rf"""(?x)
    (?<![0-9A-Za-z])(?:
        (?:AKIA|ASIA)[A-Z0-9]{{16}}
      | gh[pousr]_[0-9A-Za-z]{{36,255}}+ | github_pat_[0-9A-Za-z_]{{40,255}}+
      # GitLab, Slack, Stripe, Google, OpenAI and Anthropic
      | glpat-{_ANY}{{20,64}}+
      | xox[abeoprs]-[0-9A-Za-z-]{{10,250}}+ | xapp-[0-9A-Za-z-]{{10,250}}+
      | [rs]k_(?:live|test)_[0-9A-Za-z]{{16,250}}+ | whsec_[0-9A-Za-z+/=]{{16,128}}+
      | AIza{_ANY}{{35}} | GOCSPX-{_ANY}{{28}}
      | sk-(?:ant-|proj-|svcacct-|admin-){_ANY}{{20,250}}+ | sk-[0-9A-Za-z]{{32,64}}+
      # npm, PyPI, Hugging Face, SendGrid, Shopify, DigitalOcean, Databricks
      | npm_[0-9A-Za-z]{{36}}
      | pypi-AgE{_ANY}{{32,500}}+
      | hf_[0-9A-Za-z]{{34}}
      | SG\.{_ANY}{{16,32}}+\.{_ANY}{{32,64}}+
      | shpat_[0-9A-Fa-f]{{32}} | dop_v1_[0-9a-f]{{64}} | dapi[0-9a-f]{{32}}
      | (?<![_-])eyJ{_ANY}{{8,2048}}+\.eyJ{_ANY}{{2,8192}}+\.{_ANY}{{0,2048}}+
    )(?!{_ANY})
"""

# Put together here, so that no file holds what a search for secrets would stop.
_BODY = "4eC39HqLyjWDarjtT1zdp7dcA0b1C2d3E4f5G6h7I8j9K0l1"

RECOGNIZER = Recognizer(
    entity="api_key",
    pattern=PATTERN,
    needs=(
        *("akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "k_live_"),
        *("k_test_", "aiza", "sk-", "npm_", "pypi-", "sg.", "eyj", "xapp-", "whsec_", "gocspx-", "hf_"),
        *("shpat_", "dop_v1_", "dapi"),
    ),
    context=(
        *(
            "api key",
            "api-key",
            "apikey",
            "api_key",
            "key",
            "token",
            "secret",
            "bearer",
            "authorization",
            "credential",
        ),
        *("password", "schlussel", "cle", "jeton", "clave", "chiave", "klucz", "chave", "キー", "密钥"),
    ),
    bare=LIKELY,
    near=CERTAIN,
    examples=(
        f"AKIA{_BODY[:16].upper()}",
        f"ghp_{_BODY[:36]}",
        f"github_pat_{_BODY[:22]}_{_BODY}",
        f"glpat-{_BODY[:9]}_{_BODY[:9]}-",
        f"xoxb-{'123456789012-' * 2}{_BODY[:24]}",
        f"sk_live_{_BODY[:24]}",
        f"rk_live_{_BODY[:24]}",
        f"sk_test_{_BODY[:24]}",
        f"AIza{_BODY[:35]}",
        f"sk-{_BODY}",
        f"sk-proj-{_BODY}",
        f"sk-ant-api03-{_BODY}",
        f"npm_{_BODY[:36]}",
        f"hf_{_BODY[:34]}",
        f"whsec_{_BODY[:32]}",
        f"GOCSPX-{_BODY[:28]}",
        f"shpat_{'0f1e2d3c' * 4}",
        f"dop_v1_{'0f1e2d3c' * 8}",
        f"dapi{'0f1e2d3c' * 4}",
        f"pypi-AgEIcHlwaS5vcmc{_BODY}",
        f"SG.{_BODY[:22]}.{_BODY[:43]}",
        f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.{_BODY[:43]}",
    ),
    counterexamples=(
        "AKIA1234",
        "asia",
        "ghp_short",
        "desk-top",
        f"task-{_BODY}",
        "sk-learn-is-a-library-with-a-rather-long-name",
        "sk_live_key",
        f"AIza{_BODY[:34]}",
        "eyJhbGciOiJIUzI1NiJ9",
        "SG.12.34",
        "npm_install",
    ),
)
