"""Interrupted and resumed is uninterrupted, bit for bit; a checkpoint of another run is nobody's."""

import pytest
import torch

from tfake.training.loop import TrainingStoppedError
from tfake.training.weights_file import CheckpointFile, find_checkpoint
from tiny_training import run

pytestmark = pytest.mark.usefixtures("one_thread")
SETTINGS = {
    "steps": 6,
    "ema_decay": 0.5,
    "patience": 50,
    "validate_every": 2,
    "checkpoint_every": 2,
    "class_dropout": 0.3,
}


def stop_after(steps):
    asked = []

    def is_stopping():
        asked.append(None)
        return len(asked) == steps

    return is_stopping


@pytest.mark.parametrize("stopped_after", [1, 3, 4])
def test_interrupted_and_resumed_is_uninterrupted(tmp_path, stopped_after):
    whole = run(**SETTINGS)
    file = CheckpointFile(tmp_path / "checkpoint.pt", "this run")
    with pytest.raises(TrainingStoppedError, match=f"step {stopped_after} of 6"):
        run(checkpoint=file, is_stopping=stop_after(stopped_after), **SETTINGS)
    resumed = run(checkpoint=file, **SETTINGS)
    states = whole.network.state_dict(), resumed.network.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert whole.losses.equals(resumed.losses)


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path):
    file = CheckpointFile(tmp_path / "checkpoint.pt", "this run")

    def die():
        if file.path.exists():
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=file, is_stopping=die, **SETTINGS)
    assert len(file.load()["rows"]) == 2
    states = [run(checkpoint=c, **SETTINGS).network.state_dict() for c in (file, None)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_the_state_of_another_run_or_a_broken_file_is_not_taken_up(tmp_path):
    file = CheckpointFile(tmp_path / "checkpoint.pt", "this run")
    assert file.load() is None
    file.save({"rows": [1, 2]})
    assert file.load() == {"rows": [1, 2]}
    assert CheckpointFile(file.path, "another run").load() is None
    whole = file.path.read_bytes()
    for broken in (b"", whole[:100], b"not a checkpoint"):
        file.path.write_bytes(broken)
        assert file.load() is None
    file.remove()
    file.remove()
    assert not list(tmp_path.iterdir())


def test_the_number_format_of_a_state_is_the_run_s(tmp_path):
    path = tmp_path / "checkpoint.pt"

    def found(*precisions, run="run"):
        file, precision = find_checkpoint(path, precisions, lambda precision: f"{run} in {precision}")
        return file.run, precision, file.load() is not None

    assert found("float32", "bfloat16") == ("run in float32", "float32", False)
    CheckpointFile(path, "run in bfloat16").save({})
    assert found("float32", "bfloat16") == ("run in bfloat16", "bfloat16", True)
    assert found("bfloat16") == ("run in bfloat16", "bfloat16", True)
    # Asked for by name, another format is another run.
    assert found("float32") == ("run in float32", "float32", False)
    assert found("float32", "bfloat16", run="another") == ("another in float32", "float32", False)
    path.write_bytes(b"broken")
    assert found("float32", "bfloat16") == ("run in float32", "float32", False)
