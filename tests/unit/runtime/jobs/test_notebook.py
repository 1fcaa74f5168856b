"""What a working process writes down, as the one after it reads it."""

import os
import signal

from core.runtime.jobs.notebook import CALL_BYTES, Notebook, Remains


def test_notebook_is_read_by_others_when_its_writer_is_killed():
    notebook = Notebook()
    pid = os.fork()
    if pid == 0:
        notebook.message.write([[1, "t.one", 1, ["ab"]]])
        notebook.call.write([1, "t.one", ["ab"], None])
        os.kill(os.getpid(), signal.SIGKILL)

    os.waitpid(pid, 0)

    assert notebook.remains() == Remains([[1, "t.one", 1, ["ab"]]], [1, "t.one", ["ab"], None])


def test_notebook_is_blank_when_it_was_cleared_or_nothing_was_written():
    fresh, cleared = Notebook(), Notebook()
    cleared.message.write(["x"])
    cleared.call.write(["y"])

    cleared.clear()

    assert (fresh.remains(), cleared.remains()) == (None, None)


def test_page_is_blank_when_what_was_written_is_too_long():
    notebook = Notebook()
    notebook.call.write("short")

    notebook.call.write("x" * CALL_BYTES)

    assert notebook.call.read() is None
