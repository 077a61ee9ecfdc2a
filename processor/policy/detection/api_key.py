"""Keys of services, by the prefixes that their issuers document so that they can be told: AWS, GitHub, Stripe and others.

What has no prefix (a bare AWS secret key, a password) has no form either, and is not found.
"""

from __future__ import annotations

from processor.policy.detection.recognizer import CERTAIN, Recognizer

# Prefix in lower case, as it is looked for first; the key's form.
FORMS: tuple[tuple[str, str], ...] = (
    ("akia", r"AKIA[0-9A-Z]{16}"),  # AWS, IAM User Guide, unique ID prefixes
    ("asia", r"ASIA[0-9A-Z]{16}"),
    ("ghp_", r"ghp_[0-9A-Za-z]{36}"),  # GitHub, token formats
    ("gho_", r"gho_[0-9A-Za-z]{36}"),
    ("ghu_", r"ghu_[0-9A-Za-z]{36}"),
    ("ghs_", r"ghs_[0-9A-Za-z]{36}"),
    ("ghr_", r"ghr_[0-9A-Za-z]{36}"),
    ("github_pat_", r"github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}"),
    ("glpat-", r"glpat-[0-9A-Za-z_-]{20,64}"),  # GitLab
    ("xox", r"xox[abeoprs]-[0-9A-Za-z-]{10,250}"),  # Slack
    ("xapp-", r"xapp-[0-9A-Za-z-]{10,250}"),
    ("k_live_", r"[rs]k_live_[0-9A-Za-z]{16,128}"),  # Stripe
    ("k_test_", r"[rs]k_test_[0-9A-Za-z]{16,128}"),
    ("whsec_", r"whsec_[0-9A-Za-z+/=]{16,128}"),
    ("aiza", r"AIza[0-9A-Za-z_-]{35}"),  # Google
    ("gocspx-", r"GOCSPX-[0-9A-Za-z_-]{28}"),
    ("sk-", r"sk-(?:proj-|svcacct-|admin-|ant-api03-)?[0-9A-Za-z_-]{20,200}"),  # OpenAI, Anthropic
    ("npm_", r"npm_[0-9A-Za-z]{36}"),
    ("pypi-", r"pypi-AgE[0-9A-Za-z_-]{50,250}"),
    ("hf_", r"hf_[0-9A-Za-z]{34}"),  # Hugging Face
    ("sg.", r"SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"),  # SendGrid
    ("shpat_", r"shpat_[0-9A-Fa-f]{32}"),  # Shopify
    ("dop_v1_", r"dop_v1_[0-9a-f]{64}"),  # DigitalOcean
    ("dapi", r"dapi[0-9a-f]{32}(?:-[0-9])?"),  # Databricks
    ("eyj", r"eyJ[0-9A-Za-z_-]{10,2000}\.eyJ[0-9A-Za-z_-]{10,4000}\.[0-9A-Za-z_-]{10,2000}"),  # RFC 7519
)
_BODY = "EXAMPLE0" * 16  # put together here, so that this file holds nothing that a scanner takes for a key

RECOGNIZER = Recognizer(
    entity="api_key",
    # A key stands apart also from _ and -, which are of its own signs: so none is begun within another.
    pattern=rf"(?<![0-9A-Za-z_-])(?:{'|'.join(form for _, form in FORMS)})(?![0-9A-Za-z_])",
    needs=tuple(prefix for prefix, _ in FORMS),
    bare=CERTAIN,
    examples=(
        "AKIAIOSFODNN7EXAMPLE",  # AWS's documentation
        f"ghp_{_BODY[:36]}",
        f"github_pat_{_BODY[:22]}_{_BODY[:59]}",
        f"glpat-{_BODY[:20]}",
        f"xoxb-{_BODY[:24]}",
        f"sk_live_{_BODY[:24]}",
        f"AIza{_BODY[:35]}",
        f"sk-proj-{_BODY[:48]}",
        f"npm_{_BODY[:36]}",
        f"pypi-AgE{_BODY[:60]}",
        f"eyJ{_BODY[:20]}.eyJ{_BODY[:40]}.{_BODY[:43]}",
    ),
    counterexamples=(
        "AKIAIOSFODNN7EXAMPL",
        f"ghp_{_BODY[:35]}",
        f"task-{_BODY[:24]}",
        "sk-learn",
        f"eyJ{_BODY[:20]}.{_BODY[:40]}",
    ),
)
