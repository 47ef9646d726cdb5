"""Makes jobs.db beside this file: a job store of APScheduler 3 as it is; run it where that is installed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

FAR = datetime(2040, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def add(scheduler: BackgroundScheduler, job_id: str, trigger: object, **options: object) -> None:
    """Add a job whose function is only a name here, as APScheduler allows."""
    scheduler.add_job("os:getcwd", trigger, id=job_id, name=job_id, **options)


def main() -> None:
    """Write the store anew."""
    path = Path(__file__).with_name("jobs.db")
    path.unlink(missing_ok=True)
    scheduler = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(f"sqlite:///{path}")}, timezone=BERLIN)
    scheduler.start(paused=True)
    add(scheduler, "date", "date", run_date=FAR)
    add(scheduler, "interval", IntervalTrigger(minutes=90, start_date=FAR, end_date=FAR + timedelta(days=9), jitter=30))
    add(scheduler, "cron", CronTrigger(hour="8-18/2", minute="*/15", day_of_week="mon-fri,sun", timezone=BERLIN))
    add(scheduler, "cron from crontab", CronTrigger.from_crontab("30 2 1,15 jan-mar *", timezone=UTC))
    add(scheduler, "last day", CronTrigger(day="last", hour=22, timezone=timezone(timedelta(0))))
    add(
        scheduler,
        "second monday",
        CronTrigger(day="2nd mon", hour=6, start_date=FAR, end_date=FAR + timedelta(days=90)),
    )
    add(scheduler, "weekday steps", CronTrigger(day_of_week="*/2", hour="5/3", month="*/2"))
    add(scheduler, "seconds", CronTrigger(second="*/10", start_date=FAR))
    add(scheduler, "week", CronTrigger(week="1-26", day_of_week="mon"))
    add(scheduler, "both days", CronTrigger(day="1-7", day_of_week="mon"))
    add(scheduler, "any", OrTrigger([CronTrigger(hour=3), IntervalTrigger(days=1, start_date=FAR)]))
    add(scheduler, "all", AndTrigger([CronTrigger(hour=3), CronTrigger(day="last")]))
    add(scheduler, "fixed offset", CronTrigger(hour=3, timezone=timezone(timedelta(hours=5, minutes=30))))
    daily = {"hours": 24, "start_date": FAR}
    scheduler.add_job("json:dumps", "interval", id="kwargs", name="kwargs", kwargs={"obj": [1, {"b": None}]}, **daily)
    scheduler.add_job("os:chdir", "interval", id="args", name="args", args=["/"], **daily)
    scheduler.add_job("json:dumps", "interval", id="object", name="object", kwargs={"obj": Path("/")}, **daily)
    policies = {"coalesce": False, "misfire_grace_time": None, "max_instances": 3}
    scheduler.add_job("os:getcwd", "interval", id="paused", name="paused", next_run_time=None, **policies, **daily)
    scheduler.shutdown()


if __name__ == "__main__":
    sys.exit(main())
