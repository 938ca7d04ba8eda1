"""The table: its indexes, and what a restore does not bring back (expiry, backups, protection, tags)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from functions.ledger.keys import Index
from ops.escalator.aws import Connection, explained
from ops.escalator.doctor.check import Check, failure, ok, skipped

EXPIRES = "expires_at"
_INDEXES = tuple(it.value for it in Index)
_OTHERS = ("indexes", "expiry", "backups", "table protection", "table tags")


@dataclass(frozen=True, slots=True)
class Table:
    """indexes: status by name. expires_by: the attribute of TTL; empty if it is off."""

    name: str
    arn: str
    status: str
    indexes: Mapping[str, str]
    expires_by: str
    has_backups: bool
    is_protected: bool
    tags: Mapping[str, str]


def read_table(connection: Connection, name: str) -> Table | None:
    """Describe a table; None if there is none. Raises CommandFailed."""
    dynamodb = connection.dynamodb
    with explained(f"describe the table {name}"):
        try:
            found = dynamodb.describe_table(TableName=name)["Table"]
        except dynamodb.exceptions.ResourceNotFoundException:
            return None
        expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        tags = dynamodb.list_tags_of_resource(ResourceArn=found["TableArn"])["Tags"]
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    return Table(
        name=name,
        arn=found["TableArn"],
        status=found["TableStatus"],
        indexes={it["IndexName"]: it["IndexStatus"] for it in found.get("GlobalSecondaryIndexes", [])},
        expires_by=expiry.get("AttributeName", "") if expiry.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") else "",
        has_backups=recovery == "ENABLED",
        is_protected=bool(found.get("DeletionProtectionEnabled")),
        tags={it["Key"]: it["Value"] for it in tags},
    )


def check_table(name: str, table: Table | None, stack_tags: Mapping[str, str]) -> Iterator[Check]:
    """Everything of the table. stack_tags: tags that the table must have, as each resource of the stack."""
    if table is None or table.status not in ("ACTIVE", "UPDATING"):
        found = f"{name} is {table.status}" if table else f"{name} does not exist, so no alert can be claimed"
        yield failure("table", found, "restore it from a backup, under the same name")
        yield from skipped(*_OTHERS, because="the table cannot be used")
        return
    yield ok("table", f"{name} is {table.status}")
    missing = [it for it in _INDEXES if table.indexes.get(it) != "ACTIVE"]
    if missing:
        advice = "wait if it is being created; else restore the table with all of its indexes, or deploy"
        yield failure("indexes", f"missing or not active: {', '.join(missing)}", advice)
    else:
        yield ok("indexes", f"{', '.join(_INDEXES)}")
    if table.expires_by == EXPIRES:
        yield ok("expiry", f"records expire by {EXPIRES}")
    else:
        setting = f"Enabled=true,AttributeName={EXPIRES}"
        advice = f"aws dynamodb update-time-to-live --table-name {name} --time-to-live-specification {setting}"
        yield failure("expiry", "off: records and personal data stay for ever", advice)
    if table.has_backups:
        yield ok("backups", "point-in-time recovery is on")
    else:
        setting = "PointInTimeRecoveryEnabled=true"
        command = f"aws dynamodb update-continuous-backups --table-name {name}"
        yield failure("backups", "off", f"{command} --point-in-time-recovery-specification {setting}")
    if table.is_protected:
        yield ok("table protection", "the table cannot be deleted by accident")
    else:
        advice = f"aws dynamodb update-table --table-name {name} --deletion-protection-enabled"
        yield failure("table protection", "off", advice)
    lost = [it for it, value in stack_tags.items() if table.tags.get(it) != value]
    if lost:
        pairs = " ".join(f"Key={it},Value={stack_tags[it]}" for it in lost)
        advice = f"aws dynamodb tag-resource --resource-arn {table.arn} --tags {pairs}"
        yield failure("table tags", f"missing: {', '.join(lost)}; a restore loses tags", advice)
    else:
        yield ok("table tags", "those of the stack" if stack_tags else "the stack has none")
