"""The examples of deploying: what they set, ask and wait for is what the code knows."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import settings_table
import yaml
from documents import ROOT

from framework import Application
from framework.settings import FrameworkSettings
from framework.web.assembling import web_application
from framework.web.serving import GRACE
from modules.core.scheduler.settings import SchedulerSettings

DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
UNIT = (DEPLOY / "chamberlain.service").read_text()
SECRET, DEPLOYMENT, SERVICE = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
POD = DEPLOYMENT["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
VARIABLES = {row.split("`")[1] for table in settings_table.tables().values() for row in table}
MODULES_THAT_STOP = 2  # core.scheduler and core.access; the examples may have one more


def longest_stop() -> float:
    own, scheduler = FrameworkSettings(), SchedulerSettings()
    finishing = scheduler.shutdown_grace + scheduler.process_grace
    return finishing.total_seconds() + GRACE + MODULES_THAT_STOP * own.shutdown_timeout.total_seconds()


def instructions(word: str) -> list[str]:
    return re.findall(rf"^{word} (.+)$", CONTAINERFILE, re.MULTILINE)


def set_in(text: str) -> set[str]:
    return set(re.findall(r"\b((?:FRAMEWORK|CORE|STANDARD)_[A-Z_]+)\b(?==|:| *,)", text))


@pytest.mark.parametrize("name", ["Containerfile", "chamberlain.service", "kubernetes.yaml"])
def test_every_variable_that_an_example_sets_is_a_setting(name: str) -> None:
    found = set_in((DEPLOY / name).read_text())

    assert found
    assert found - VARIABLES == set()


def test_the_image_copies_what_is_there_and_what_the_build_is_given() -> None:
    sources = [source for line in instructions("COPY") if "--from" not in line for source in line.split()[:-1]]
    given = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}

    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert {source.rstrip("/") for source in sources} == given


def test_the_image_runs_the_program_as_nobody_special_on_the_port_of_the_settings() -> None:
    assert instructions("ENTRYPOINT") == ['["chamberlain"]']
    assert instructions("CMD") == ['["run"]']
    assert instructions("EXPOSE") == [str(FrameworkSettings().http_port)]
    assert instructions("USER") == [f"{POD['securityContext']['runAsUser']}:{POD['securityContext']['runAsGroup']}"]


def test_the_image_installs_what_the_project_is_tried_with() -> None:
    pinned = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
    tried = set(pinned.findall((ROOT / "requirements.lock").read_text()))
    image = (DEPLOY / "requirements.lock").read_text()

    assert set(pinned.findall(image)) - tried == set(), "run make lock"
    assert {"sqlalchemy", "fastapi", "asyncpg"} <= dict(pinned.findall(image)).keys()
    assert len(pinned.findall(image)) == len(re.findall(r"==\S+.*\\\n +--hash=sha256:", image))


async def test_the_probes_ask_what_the_server_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with Application(modules=["core.scheduler"]).registered() as app_context:
        paths = set(web_application(app_context).openapi()["paths"])
    asked = {name: CONTAINER[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}

    assert [probe["path"] for probe in asked.values()] == ["/health/started", "/health/live", "/health/ready"]
    assert {probe["path"] for probe in asked.values()} <= paths
    assert {probe["port"] for probe in asked.values()} == {"http"}


def test_the_service_leads_to_the_port_that_the_server_listens_on() -> None:
    (port,) = CONTAINER["ports"]
    (published,) = SERVICE["spec"]["ports"]

    assert port == {"name": published["targetPort"], "containerPort": FrameworkSettings().http_port}
    assert SERVICE["spec"]["selector"] == DEPLOYMENT["spec"]["selector"]["matchLabels"]
    assert SERVICE["spec"]["selector"] == DEPLOYMENT["spec"]["template"]["metadata"]["labels"]


def test_the_url_of_the_database_comes_from_the_secret_and_stands_nowhere_else() -> None:
    assert [source["secretRef"]["name"] for source in CONTAINER["envFrom"]] == [SECRET["metadata"]["name"]]
    assert list(SECRET["stringData"]) == ["FRAMEWORK_DATABASE_URL"]
    assert "FRAMEWORK_DATABASE_URL" not in str(DEPLOYMENT)


def test_every_example_waits_for_as_long_as_a_stop_may_take() -> None:
    before_it: Any = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    page = (ROOT / "docs" / "how-to" / "production.md").read_text()
    waits = [
        POD["terminationGracePeriodSeconds"] - int(before_it[-1]),
        int(re.search(r"^TimeoutStopSec=(\d+)s$", UNIT, re.MULTILINE)[1]),  # type: ignore[index]
        int(re.search(r"--stop-timeout (\d+)", page)[1]),  # type: ignore[index]
    ]

    assert min(waits) > longest_stop()
    assert f"That is {longest_stop():.0f} s." in page


def test_what_may_be_written_on_a_read_only_file_system_is_mounted() -> None:
    mounted = {mount["mountPath"] for mount in CONTAINER["volumeMounts"]}

    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"]
    assert {*instructions("VOLUME"), "/tmp"} == mounted
    assert f"FRAMEWORK_DATA_DIR={instructions('VOLUME')[0]} " in CONTAINERFILE


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    (program,) = re.findall(r"^ExecStart=(\S+)", UNIT, re.MULTILINE)
    unit = tmp_path / "chamberlain.service"
    unit.write_text(UNIT.replace(program, shlex.quote(str(Path(sys.executable).with_name("chamberlain")))))

    told = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)

    assert told.returncode == 0
    assert [line for line in told.stderr.splitlines() if unit.name in line] == []
