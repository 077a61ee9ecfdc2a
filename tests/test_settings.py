from __future__ import annotations

import pytest

from processor.errors import SettingsError
from processor.settings import Settings

ENVIRON = {
    "EVENTS_BUCKET": "e",
    "AUDIT_BUCKET": "a",
    "QUARANTINE_BUCKET": "q",
    "ALERTS_TOPIC_ARN": "t",
    "LEDGER_TABLE": "l",
    "SUBJECTS_TABLE": "s",
    "PROFILES_TABLE": "p",
    "DATA_KEY_ARN": "d",
    "TOKEN_KEY_ARNS": '{"1": "k1", "2": "k2"}',
}


def test_what_terraform_sets_is_read() -> None:
    settings = Settings.read(ENVIRON)
    assert settings == Settings("e", "a", "q", "t", "l", "s", "p", "d", {1: "k1", 2: "k2"}, 60)


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError, match="AUDIT_BUCKET, LEDGER_TABLE, TOKEN_KEY_ARNS"):
        Settings.read(ENVIRON | {"AUDIT_BUCKET": "", "LEDGER_TABLE": "", "TOKEN_KEY_ARNS": ""})


@pytest.mark.parametrize("text", ["{}", "[]", "k1", '{"one": "k1"}', '{"0": "k0"}', '{"1": 1}', '{"1": ""}'])
def test_unusable_key_versions_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="TOKEN_KEY_ARNS must map key versions"):
        Settings.read(ENVIRON | {"TOKEN_KEY_ARNS": text})
