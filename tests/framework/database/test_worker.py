"""A thread that does one thing after another, and a lock that nobody is passed over at."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest

from framework.database.worker import FairLock, Worker


async def test_work_is_done_in_the_order_in_which_it_was_given_and_in_one_thread() -> None:
    worker, done, threads = Worker("w"), [], set()

    def note(number: int) -> int:
        done.append(number)
        threads.add(threading.current_thread())
        return number

    answers = await asyncio.gather(*(worker.do(lambda number=number: note(number)) for number in range(20)))
    worker.end()

    assert answers == done == list(range(20))
    assert len(threads) == 1
    assert threading.current_thread() not in threads


async def test_what_the_work_raises_is_raised_here_and_the_next_is_done() -> None:
    worker = Worker("w")

    with pytest.raises(ZeroDivisionError):
        await worker.do(lambda: 1 // 0)
    answer = await worker.do(lambda: "next")
    worker.end()

    assert answer == "next"


@pytest.mark.parametrize("raised", [StopIteration, StopAsyncIteration, GeneratorExit])
async def test_whatever_the_work_raises_its_caller_does_not_wait_for_ever(raised: type[BaseException]) -> None:
    worker = Worker("w")

    def work() -> None:
        raise raised("no")

    caller = asyncio.ensure_future(worker.do(work))
    done, _ = await asyncio.wait([caller], timeout=30)
    answer = await worker.do(lambda: "next")
    worker.end()

    assert done == {caller}
    assert isinstance(caller.exception(), RuntimeError if raised is StopIteration else raised)
    assert answer == "next"


async def test_work_that_has_begun_ends_before_a_cancelled_caller_hears_of_it() -> None:
    worker, begun, go, ended = Worker("w"), threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        go.wait()
        ended.append("ended")

    caller = asyncio.ensure_future(worker.do(work))
    await asyncio.get_running_loop().run_in_executor(None, begun.wait)
    caller.cancel()
    await asyncio.wait([caller], timeout=0.05)
    early = caller.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    worker.end()

    assert (early, ended) == (False, ["ended"])


async def test_no_thread_starts_before_there_is_work_and_it_ends_when_it_is_told() -> None:
    worker = Worker("w")
    before = worker.has_begun

    thread = await worker.do(threading.current_thread)
    worker.end()
    await asyncio.get_running_loop().run_in_executor(None, thread.join)

    assert (before, worker.has_begun, thread.is_alive()) == (False, True, False)


async def test_nothing_that_was_done_is_kept_alive_while_it_waits_for_more() -> None:
    class Thing:
        pass

    worker, thing = Worker("w"), Thing()
    gone = weakref.ref(thing)
    await worker.do(lambda thing=thing: None)
    await worker.do(lambda: None)

    del thing
    gc.collect()
    worker.end()

    assert gone() is None


def test_a_lock_is_given_in_the_order_in_which_it_was_asked_for() -> None:
    lock, order, threads = FairLock(), [], []

    def take(number: int) -> None:
        with lock:
            order.append(number)

    with lock:
        for number in range(8):
            thread = threading.Thread(target=take, args=(number,))
            thread.start()
            threads.append(thread)
            while len(lock._waiting) <= number:
                pass
    for thread in threads:
        thread.join()

    assert order == list(range(8))


def test_one_who_always_wants_it_back_does_not_starve_another() -> None:
    lock, had, stop = FairLock(), threading.Event(), threading.Event()

    def greedy() -> None:
        while not stop.is_set():
            with lock:
                pass

    def modest() -> None:
        with lock:
            had.set()

    threads = [threading.Thread(target=work) for work in (greedy, modest)]
    for thread in threads:
        thread.start()
    got_it = had.wait(timeout=30)
    stop.set()
    for thread in threads:
        thread.join()

    assert got_it


def test_a_lock_whose_holder_raised_is_free_again() -> None:
    lock = FairLock()

    with pytest.raises(ValueError, match="no"), lock:
        raise ValueError("no")
    with lock:
        taken = lock._taken

    assert taken
    assert not lock._taken
