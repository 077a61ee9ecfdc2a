"""The package: what is in it, that it runs alone, that it is the same when built again."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from processor.cli import main
from processor.cli.package import BUILD, SIZE_MAX, Package, all_policies, build, build_access, host_target
from processor.cli.sbom import SBOM
from processor.errors import ModelError, PolicyError, TidegateError
from processor.policy import load_plan
from processor.policy.source import read_source
from processor.review.approval import approve, write_approval
from processor.review.comparison import compare

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "policies" / "payments.yaml"

IMPORTED = """
import importlib, importlib.util, pkgutil, sys
from pathlib import Path
root, runtime = sys.argv[1:]
sys.path[:0] = [root]
sys.path += [runtime]
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"yaml", "sklearn", "scipy", "joblib", "click", "rich", "models"}:
            raise ImportError(f"the package must not need {name}")
sys.meta_path.insert(0, Blocked())
import processor, cryptography
# Those start at import: the end-to-end test runs them.
starting = {"processor.handler", "processor.backfill", "processor.detokenize", "processor.erase"}
names = sorted({one.name for one in pkgutil.walk_packages(processor.__path__, "processor.")} - starting)
for name in names:
    module = importlib.import_module(name)
    assert module.__file__.startswith(root), module.__file__
    assert "__pycache__" in module.__cached__ and Path(module.__cached__).exists(), name
assert cryptography.__file__.startswith(root)
"""

ALONE = """
import numpy
assert numpy.__file__.startswith(root)
from processor.start import packaged_plan
from processor.scoring import Step, granted_scorer
plan = packaged_plan(Path(root, "policy.json"))
scorer = granted_scorer(Path(root, "model"), plan.score)
print(len(names), plan.name, scorer.score([Step(None, {})], 0.995).verdicts[0].imputed)
"""

ACCESS_ALONE = """
assert "numpy" not in sys.modules and not importlib.util.find_spec("numpy")
from processor.access import POLICIES, packaged_plans
print(len(names), *(plan.name for plan in packaged_plans(Path(root, POLICIES))))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return build(POLICY, tmp_path_factory.mktemp("package") / "payments.zip", *host_target())


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return build_access([POLICY], tmp_path_factory.mktemp("package") / "access.zip", *host_target())


UNWANTED = (
    "/cli/",
    "/local/",
    "/review/",
    ".dat",
    "policy/document.py",
    "policy/source.py",
    "/tests/",
    ".pyi",
    "joblib",
    "pycparser/",
)


def holds(package: Package, *modules: str) -> set[str]:
    """Which of these modules of processor/ are in a package."""
    names = zipfile.ZipFile(package.path).namelist()
    return {module for module in modules if f"processor/{module}.py" in names}


@pytest.mark.slow
def test_it_holds_what_the_function_needs_and_no_more(built: Package) -> None:
    names = zipfile.ZipFile(built.path).namelist()
    assert {"processor/handler.py", "policy.json", "model/manifest.json", "model/arrays.npy"} <= set(names)
    tops = {name.partition("/")[0] for name in names}
    allowed = {"processor", "policy.json", "model", "numpy", "numpy.libs", "cryptography", "stdnum", SBOM}
    assert {top for top in tops if not top.startswith("_cffi") and ".dist-info" not in top} == allowed
    assert not [name for name in names if any(part in name for part in UNWANTED)]
    assert not holds(built, "detokenize", "erase", "access", "proof", "rates", "policy/opening")
    assert [name for name in names if "dist-info/licenses" in name], "licences travel with what they cover"
    assert built.size <= SIZE_MAX


@pytest.mark.slow
def test_that_of_detokenize_and_erase_holds_all_policies_and_nothing_of_a_stream(access: Package) -> None:
    names = zipfile.ZipFile(access.path).namelist()
    assert {"processor/detokenize.py", "processor/erase.py", "policies/payments.json"} <= set(names)
    tops = {name.partition("/")[0] for name in names}
    allowed = {"processor", "policies", "cryptography", "stdnum", SBOM}
    assert {top for top in tops if not top.startswith("_cffi") and ".dist-info" not in top} == allowed
    assert not [name for name in names if any(part in name for part in (*UNWANTED, "numpy", "/scoring/"))]
    assert not holds(access, "handler", "start", "pipeline", "stream", "ledger", "quarantine")
    assert access.size < 10_000_000


@pytest.mark.slow
def test_a_policy_is_the_same_bytes_in_both(built: Package, access: Package) -> None:
    of_stream = zipfile.ZipFile(built.path).read("policy.json")
    assert zipfile.ZipFile(access.path).read("policies/payments.json") == of_stream


def run_alone(package: Package, script: str, tmp_path: Path) -> list[str]:
    """What a script prints in a fresh Python with the package alone, and Boto3 as in Lambda's runtime."""
    zipfile.ZipFile(package.path).extractall(tmp_path / "task")
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py"):
        source = next(Path(path, name) for path in sys.path if Path(path, name).exists())
        (runtime / name).symlink_to(source)
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", IMPORTED + script, str(tmp_path / "task"), str(runtime)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


@pytest.mark.slow
def test_it_runs_alone(built: Package, tmp_path: Path) -> None:
    """Every module imports from the package, with bytecode, and with Boto3 alone from outside."""
    modules, policy, imputed = run_alone(built, ALONE, tmp_path)
    assert int(modules) > 30
    assert (policy, int(imputed) > 0) == ("payments", True)


@pytest.mark.slow
def test_that_of_detokenize_and_erase_runs_alone(access: Package, tmp_path: Path) -> None:
    modules, *policies = run_alone(access, ACCESS_ALONE, tmp_path)
    assert int(modules) > 30
    assert policies == ["payments"]


def bill_of(package: Package) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    archive = zipfile.ZipFile(package.path)
    told = archive.read(SBOM)
    assert told == package.path.with_suffix(".cdx.json").read_bytes()
    return archive, json.loads(told)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["built", "access"])
def test_its_bill_names_all_that_is_in_it(which: str, request: pytest.FixtureRequest) -> None:
    archive, bill = bill_of(request.getfixturevalue(which))
    parts = [*bill["components"], *(one for part in bill["components"] for one in part.get("components", ()))]
    ours = {name for name in archive.namelist() if name.endswith((".py", ".json", ".npy")) and is_ours(name)}
    told = {part["name"]: part["hashes"][0]["content"] for part in parts if part["name"] in ours}
    assert told.keys() == ours - {SBOM}
    assert told == {name: hashlib.sha256(archive.read(name)).hexdigest() for name in told}
    infos = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    wheels = [part for part in parts if "purl" in part]
    assert {f"{part['name'].replace('-', '_')}-{part['version']}.dist-info" for part in wheels} == infos
    lock = (ROOT / "requirements.lambda.lock").read_text(encoding="utf-8")
    for part in wheels:
        (pinned,) = re.findall(
            rf"^{part['name']}=={part['version']} .*\n((?: +--hash.*\n)+)", lock, re.MULTILINE
        )
        assert f"--hash=sha256:{part['hashes'][0]['content']}" in pinned


def is_ours(name: str) -> bool:
    return name.partition("/")[0] in {"processor", "policies", "policy.json", "model", SBOM}


@pytest.mark.slow
def test_it_is_the_same_when_built_again(built: Package, tmp_path: Path) -> None:
    again = build(POLICY, tmp_path / "again.zip", *host_target())
    assert again.sha256 == built.sha256
    assert built.bytecode


@pytest.mark.slow
def test_that_of_detokenize_and_erase_is_the_same_in_any_order(access: Package, tmp_path: Path) -> None:
    other = renamed(tmp_path, "loans")
    both = build_access([POLICY, other], tmp_path / "both.zip", *host_target())
    again = build_access([other, POLICY], tmp_path / "again.zip", *host_target())
    assert both.sha256 == again.sha256 != access.sha256
    held = [name for name in zipfile.ZipFile(both.path).namelist() if name.startswith("policies/")]
    assert held == ["policies/loans.json", "policies/payments.json"]


def renamed(tmp_path: Path, name: str) -> Path:
    """The policy under another name."""
    path = tmp_path / f"{name}.yaml"
    path.write_text(POLICY.read_text(encoding="utf-8").replace("policy: payments", f"policy: {name}"))
    return path


def copy_of(tmp_path: Path, **replaced: str) -> Path:
    text = POLICY.read_text(encoding="utf-8")
    for old, new in replaced.items():
        text = text.replace(f"{old}:", f"{new}:", 1)
    (tmp_path / "policies").mkdir()
    path = tmp_path / "policies" / "payments.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(policy: Path, out: Path, error: type[TidegateError]) -> str:
    """What is said of a policy that cannot be packaged; and nothing half done is left."""
    out.write_bytes(b"the package before")
    before = sorted(BUILD.iterdir()) if BUILD.exists() else []
    with pytest.raises(error) as caught:
        build(policy, out, *host_target())
    assert out.read_bytes() == b"the package before"
    assert sorted(out.parent.glob("*.unfinished")) == []
    assert (sorted(BUILD.iterdir()) if BUILD.exists() else []) == before
    return str(caught.value)


@pytest.mark.slow
def test_who_answers_for_a_wider_policy_travels_with_it(tmp_path: Path) -> None:
    policy = copy_of(tmp_path)
    before = read_source(policy).plan
    policy.write_text(policy.read_text().replace("  name: {action: redact", "  name: {action: keep"))
    after = read_source(policy).plan
    approval = approve(compare(before, after), "support reads names from here on")
    write_approval(policy, after, approval)
    package = build(policy, tmp_path / "out.zip", *host_target())
    compiled = zipfile.ZipFile(package.path).read("policy.json")
    assert json.loads(compiled)["allowed_wider"]["reason"] == "support reads names from here on"
    assert load_plan(compiled) == after
    policy.write_text(policy.read_text() + "# another edit, for which nobody answers\n")
    package = build(policy, tmp_path / "out.zip", *host_target())
    assert "allowed_wider" not in json.loads(zipfile.ZipFile(package.path).read("policy.json"))


def test_an_unusable_policy_is_not_packaged(tmp_path: Path) -> None:
    policy = copy_of(tmp_path, fields="feilds")
    assert "payments.yaml:" in refused(policy, tmp_path / "out.zip", PolicyError)


def test_a_model_that_is_not_there_is_not_packaged(tmp_path: Path) -> None:
    policy = copy_of(tmp_path)
    policy.write_text(policy.read_text().replace("model: payments_fraud", "model: loans_fraud"))
    assert "loans_fraud" in refused(policy, tmp_path / "out.zip", ModelError)


def test_a_model_that_reads_too_much_is_not_packaged(tmp_path: Path) -> None:
    policy = copy_of(tmp_path)
    policy.write_text(policy.read_text().replace("reads: [amount, created_at,", "reads: [created_at,"))
    message = refused(policy, tmp_path / "out.zip", ModelError)
    assert "reads amount, which the policy does not grant" in message


def test_a_model_of_other_labels_is_not_packaged(tmp_path: Path) -> None:
    policy = copy_of(tmp_path)
    text = policy.read_text()
    assert text.count("equals: chargeback, after") == 1
    policy.write_text(text.replace("equals: chargeback, after", "equals: fraud, after"))
    message = refused(policy, tmp_path / "out.zip", ModelError)
    assert "fraud is status: 'chargeback', and the policy says status: 'fraud'" in message


def test_an_altered_model_is_not_packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "models" / "payments_fraud", tmp_path / "models" / "payments_fraud")
    arrays = tmp_path / "models" / "payments_fraud" / "arrays.npy"
    arrays.write_bytes(arrays.read_bytes()[:-1] + b"\0")
    monkeypatch.setattr("processor.cli.package.REPOSITORY", tmp_path)
    assert "arrays.npy" in refused(POLICY, tmp_path / "out.zip", ModelError)


def candidate(tmp_path: Path, name: str = "payments_fraud") -> Path:
    """The released model as another training might have made it."""
    folder = tmp_path / "candidate"
    shutil.copytree(ROOT / "models" / "payments_fraud", folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"model": name}))
    return folder


def test_a_candidate_rides_along(tmp_path: Path) -> None:
    result = run(
        *("package", "--host", "--json", "--policy", str(POLICY), "--shadow", str(candidate(tmp_path))),
        *("--out", str(tmp_path / "out.zip")),
    )
    assert result.exit_code == 0, result.stderr
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        found = {name for name in archive.namelist() if name.partition("/")[0] in {"model", "shadow"}}
    assert found == {f"{of}/{file}" for of in ("model", "shadow") for file in ("arrays.npy", "manifest.json")}


def test_a_candidate_for_another_policy_stays_at_home(tmp_path: Path) -> None:
    other = candidate(tmp_path, "loans_fraud")
    out = tmp_path / "out.zip"
    result = run("package", "--host", "--policy", str(POLICY), "--shadow", str(other), "--out", str(out))
    assert result.exit_code == 0, result.stderr
    assert f"payments.yaml: does not name the model of {other}, and is packaged without it" in result.stderr
    with zipfile.ZipFile(out) as archive:
        assert not [name for name in archive.namelist() if name.startswith("shadow")]


def test_the_model_in_use_is_no_candidate(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is the model in use, payments_fraud@"):
        build(POLICY, tmp_path / "out.zip", *host_target(), shadow=ROOT / "models" / "payments_fraud")


def test_two_policies_of_one_name_are_not_packaged(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="another policy is named payments"):
        build_access([POLICY, copy_of(tmp_path)], tmp_path / "out.zip", *host_target())
    assert not (tmp_path / "out.zip").exists()


def test_policies_that_disagree_are_not_packaged_together(tmp_path: Path) -> None:
    other = renamed(tmp_path, "loans")
    text = other.read_text(encoding="utf-8")
    subject = "customer_id: {action: pseudonymize, domain: customer"
    assert subject in text
    other.write_text(
        text.replace(subject, f"{subject}, normalize: upper").replace("  fraud_inv", "  other_inv")
    )
    with pytest.raises(TidegateError) as caught:
        build_access([POLICY, other], tmp_path / "out.zip", *host_target())
    people, *purposes = sorted(str(caught.value).splitlines(), key=lambda line: "people" not in line)
    assert people.startswith("payments and loans share the people of the domain customer,")
    # The tokens of neither open for the other: the secrets are of other people then.
    assert purposes == []
    other.write_text(text.replace("  fraud_inv", "  other_inv"))
    with pytest.raises(
        TidegateError, match="payments: the purpose fraud_investigation opens email, and with it"
    ):
        build_access([POLICY, other], tmp_path / "out.zip", *host_target())
    assert not (tmp_path / "out.zip").exists()


def test_a_package_of_no_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="no policy"):
        build_access([], tmp_path / "out.zip", *host_target())


def test_an_unusable_policy_is_not_packaged_for_detokenize_either(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"payments\.yaml:"):
        build_access([POLICY, copy_of(tmp_path, fields="feilds")], tmp_path / "out.zip", *host_target())


def test_examples_and_schemas_are_no_policies() -> None:
    assert POLICY in all_policies()
    assert not [path for path in all_policies() if "examples" in path.name or "standards" in path.parts]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments)


def test_the_command_names_the_file_and_the_fix(tmp_path: Path) -> None:
    policy = copy_of(tmp_path, fields="feilds")
    result = run("package", "--policy", str(policy), "--out", str(tmp_path / "out.zip"), "--host")
    assert result.exit_code == 2
    assert "payments.yaml:" in result.stderr
    assert "fields" in result.stderr
    assert not (tmp_path / "out.zip").exists()


def test_a_python_that_lambda_does_not_have_is_refused() -> None:
    assert run("package", "--python", "3.9").exit_code == 2


def test_a_stream_has_one_policy(tmp_path: Path) -> None:
    result = run("package", "--policy", str(POLICY), "--policy", str(copy_of(tmp_path)))
    assert result.exit_code == 2
    assert "add --access" in result.stderr


@pytest.mark.slow
def test_the_command_builds_that_of_detokenize_and_erase_of_all_policies(tmp_path: Path) -> None:
    result = run("package", "--access", "--host", "--json", "--out", str(tmp_path / "out.zip"))
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert (said["path"], said["bytecode"]) == (str(tmp_path / "out.zip"), True)
    held = {name for name in zipfile.ZipFile(tmp_path / "out.zip").namelist() if name.startswith("policies/")}
    assert held == {f"policies/{policy.stem}.json" for policy in all_policies()}
