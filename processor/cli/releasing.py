"""The course of a release: what changes, the canary applied, watched, and brought to its end."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console

from processor.cli.watch import Canary, watched
from processor.errors import TidegateError
from processor.local.planning import reviewed
from processor.local.terraform import ROOT
from processor.review.canary import RINGS, Course, Look
from processor.review.shape import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from processor.cli.alias import Live
    from processor.cli.watch import Watch
    from processor.local.terraform import Terraform
    from processor.review.canary import Pointing

ALIAS: Final = re.compile(r'module\.stream\["([^"]+)"\]\.aws_lambda_alias\.live')
INTERRUPTED: Final = "interrupted"
NO_TRAFFIC: Final = "no record reached the new version, so that nothing is proven: try again under traffic"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a release."""

    course: Course | None = None
    """None if no canary was begun."""
    why: str = ""
    canary: Canary | None = None
    look: Look | None = None
    """The last."""
    is_fine: bool = False
    notes: tuple[str, ...] = field(default=())

    def told(self) -> Iterator[str]:
        """For people."""
        if self.canary is None or self.course is None:
            yield self.why
            return
        stream, new, stable = self.canary.live.stream, self.canary.new, self.canary.stable
        match self.course:
            case Course.GO_ON:
                yield f"{stream}: all batches go to {new} now; before: {stable}."
            case Course.STOLEN:
                yield f"{stream}: somebody else moved the alias meanwhile, and has the last word."
            case _:
                yield f"{stream}: all batches go to {stable} again, because {self.why}. Withdrawn: {new}."
        if self.look is not None:
            yield f"  It took {counted(self.look.records, 'record')} in {self.look.seconds:,.0f} s."
            if self.look.unjudged:
                unjudged = ", ".join(self.look.unjudged)
                yield f"  Too little data for {unjudged}: their silence says nothing."
        yield from (f"  {note}" for note in self.notes)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        seen = self.look and {
            "records": self.look.records, "seconds": round(self.look.seconds), "ringing": self.look.ringing,
            "unjudged": self.look.unjudged,
        }  # fmt: skip
        versions = self.canary and {"stable": self.canary.stable.number, "new": self.canary.new.number}
        return {
            "stream": self.canary and self.canary.live.stream,
            "course": self.course and self.course.value,
            "why": self.why,
            "versions": versions,
            "seen": seen,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release about to be made.

    Args:
        terraform: initialised, for the environment.
        options: Terraform's.
        watch: CloudWatch.
        live: the alias of a stream.
        folder: for files that Terraform reads while it plans and applies.
        clock, sleep: for tests.
    """

    terraform: Terraform
    options: Sequence[str]
    watch: Watch
    live: Callable[[str], Live]
    folder: Path
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def run(self, percent: int, for_s: float, stream: str | None) -> Outcome:
        """Make it.

        Raises:
            TidegateError: it cannot be planned, applied or ended; says in which state things are.
        """
        if stream is not None and (why := self._rings(stream)):  # before anybody waits for a plan
            return Outcome(why=why)
        planned = self._planned()
        names = changing(planned)
        if not names:
            return Outcome(why="No stream gets a new version: there is nothing to release.", is_fine=True)
        name = _one(names, stream)
        if why := self._rings(name):
            return Outcome(why=why)
        before, outputs = self.live(name).now(), self.terraform.output()
        try:
            if (code := self._begin(name, percent, before, outputs.get("deployed", {}).get(name))) != 0:
                return self._not_begun(name, before, f"Terraform's exit code {code}")
            canary = self._canary(name, percent, outputs["streams"][name]["policy"])
        except KeyboardInterrupt:
            return self._not_begun(name, before, INTERRUPTED)
        return self._watched(canary, for_s, changes(planned))

    def _planned(self, *more: str) -> dict[str, Any]:
        """A plan without any canary, as Terraform's JSON."""
        file = str(self.folder / "plan")
        own = [option for option in self.options if option != "-auto-approve"]
        self.terraform.run("plan", "-input=false", f"-out={file}", *own, *more)
        planned: dict[str, Any] = json.loads(self.terraform.run("show", "-json", file))
        return planned

    def _rings(self, name: str) -> str:
        """Why no canary may begin; empty if none of the stream's alarms rings."""
        states = self.watch.states(self.live(name).function)
        ringing = ", ".join(sorted(alarm for alarm, state in states.items() if state == RINGS))
        return ringing and f"Not begun: {ringing} in ALARM before. Mend that first, or wait."

    def _begin(self, name: str, percent: int, now: Pointing, deployed: Any) -> int:
        """Apply with the canary, after the review and somebody's yes. An exit code."""
        canary: dict[str, Any] = {
            "stable": str(now.version), "percent": percent,
            "reach": sorted(self.live(name).versions()[now.version].reach),
        }  # fmt: skip
        if deployed is not None:
            file = self.folder / "in-force.json"
            file.write_text(json.dumps(deployed), encoding="utf-8")
            canary["release"] = str(file)
        return reviewed(
            self.terraform, ROOT, "apply", [*self.options, f"-var=canary={json.dumps({name: canary})}"]
        )

    def _not_begun(self, name: str, before: Pointing, why: str) -> Outcome:
        """Nothing runs that did not run before: an apply that ends halfway may have moved the alias."""
        live = self.live(name)
        now = live.now()
        if before.canary is not None:
            return Outcome(
                why=f"Not begun ({why}). A canary ran before, and {name} is at {now}: make rollback."
            )
        if now.canary is None:
            return Outcome(why=f"Not begun ({why}).")
        versions = live.versions()
        canary = Canary(live, name, versions[now.version], versions[now.canary], now.percent)
        self._back(canary, why)
        return Outcome(Course.GO_BACK, why, canary)

    def _canary(self, name: str, percent: int, policy: str) -> Canary:
        live = self.live(name)
        now, versions = live.now(), live.versions()
        if now.canary is None:
            raise TidegateError(
                f"{name}: the alias has no canary after the apply ({now}); somebody else moved it."
            )
        return Canary(live, policy, versions[now.version], versions[now.canary], percent)

    def _watched(self, canary: Canary, for_s: float, meant: set[str]) -> Outcome:
        """Watch, then bring it to its end whatever happens."""
        seen: list[Look] = []
        try:
            with _shown(canary, for_s, seen) as on_look:
                course, look = watched(canary, self.watch, for_s, on_look, clock=self.clock, sleep=self.sleep)
        except (KeyboardInterrupt, TidegateError) as error:
            why = (
                INTERRUPTED if isinstance(error, KeyboardInterrupt) else f"it could not be watched ({error})"
            )
            self._back(canary, why)
            return Outcome(Course.GO_BACK, why, canary, seen[-1] if seen else None)
        outcome = Outcome(course, "", canary, look)
        match course:
            case Course.GO_ON:
                canary.live.go_on(canary.new.number)
                return replace(outcome, is_fine=True, notes=self._recorded(meant))
            case Course.GO_BACK:
                why = f"{', '.join(look.ringing)} rang"
            case Course.UNPROVEN:
                why = NO_TRAFFIC
            case _:
                return outcome
        self._back(canary, why)
        return replace(outcome, why=why)

    def _back(self, canary: Canary, why: str) -> None:
        try:
            canary.live.go_back(canary.stable, canary.new, why)
        except (KeyboardInterrupt, TidegateError) as error:
            raise TidegateError(
                f"{canary.live.stream}: {why}, and going back failed: {error or 'interrupted'}. "
                f"See where it points, and move it: tidegate rollback --stream {canary.live.stream}"
            ) from None

    def _recorded(self, meant: set[str]) -> tuple[str, ...]:
        """Let Terraform write down that the canary has become the rule; notes where it cannot.

        Nobody is asked again, so nothing is applied that was not in the plan that somebody said yes to.
        """
        late = "Terraform's state does not say so yet: make apply"
        try:
            planned = self._planned()
            if surplus := sorted(changes(planned) - meant):
                return (f"{late}. It was left because the plan has more by now: {', '.join(surplus)}.",)
            if not changes(planned) and not planned.get("applyable", True):
                return ()
            code = self.terraform.apply_saved(str(self.folder / "plan"))
        except (KeyboardInterrupt, TidegateError) as error:
            return (f"{late}. {error or INTERRUPTED}",)
        return () if code == 0 else (f"{late} (exit code {code}).",)


def changes(planned: dict[str, Any]) -> set[str]:
    """The addresses of what a plan changes."""
    return {
        one["address"]
        for one in planned.get("resource_changes", ())
        if one["change"]["actions"] not in (["no-op"], ["read"])
    }


def changing(planned: dict[str, Any]) -> list[str]:
    """The streams that get another version, by name; not those that are new or go."""
    found = []
    for one in planned.get("resource_changes", ()):
        named, change = ALIAS.fullmatch(one["address"]), one["change"]
        if named and change["before"] is not None and change["after"] is not None:
            unknown = (change.get("after_unknown") or {}).get("function_version")
            version = change["after"].get("function_version")
            if unknown or version != change["before"]["function_version"]:
                found.append(named[1])
    return sorted(found)


def _one(names: list[str], stream: str | None) -> str:
    """The stream of a release; the others would move at once, unwatched."""
    wanted = stream or names[0]
    if names == [wanted]:
        return wanted
    if wanted not in names:
        raise TidegateError(f"{wanted} gets no new version; what does is {', '.join(names)}.")
    others = ", ".join(one for one in names if one != wanted)
    raise TidegateError(
        f"a release is of one stream, and {others} would get a new version at once as well. Check out what "
        "changes one stream alone, or put all in force: make apply"
    )


class _shown:  # noqa: N801  a context, used as one
    """Progress on the screen: a line that moves on a terminal, else a line a minute."""

    def __init__(self, canary: Canary, for_s: float, seen: list[Look]) -> None:
        self._canary, self._for_s, self._seen = canary, for_s, seen
        self._console = Console(stderr=True)
        self._status = self._console.status("") if self._console.is_terminal else None
        self._minute = -1

    def __enter__(self) -> Callable[[Look], None]:
        one = self._canary
        click.echo(
            f"{one.live.stream}: {one.percent} % of the batches go to {one.new}, the rest to {one.stable}.",
            err=True,
        )
        if self._status:
            self._status.start()
        return self._on_look

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def _on_look(self, look: Look) -> None:
        self._seen.append(look)
        rings = f"ringing: {', '.join(look.ringing)}" if look.ringing else "no alarm rings"
        text = (
            f"{look.seconds:,.0f} of {self._for_s:,.0f} s, {counted(look.records, 'record')} taken, {rings}"
        )
        if self._status:
            self._status.update(f"{text} (Ctrl-C goes back)")
        elif int(look.seconds // 60) > self._minute:
            self._minute = int(look.seconds // 60)
            click.echo(f"  {text}", err=True)
