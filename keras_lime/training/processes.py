"""Which of several training processes this one is. Asks the active backend alone."""

import json
import os

import keras

__all__ = ["is_first_process"]


def is_first_process() -> bool:
    """Whether this process is the one that writes: the only one, or number 0 of several."""
    match keras.backend.backend():
        case "jax":
            import jax

            return bool(jax.process_index() == 0)
        case "torch":
            import torch

            distributed = torch.distributed
            spread = distributed.is_available() and distributed.is_initialized()
            return not spread or bool(distributed.get_rank() == 0)
        case _:
            return _is_first_task(os.environ.get("TF_CONFIG", ""))


def _is_first_task(config: str) -> bool:
    """Reads TensorFlow's own cluster description: the chief writes, or worker 0 where there is no chief."""
    if not config:
        return True
    described = json.loads(config)
    task = described.get("task", {})
    if "chief" in described.get("cluster", {}):
        return bool(task.get("type") == "chief")
    return task.get("type", "worker") == "worker" and int(task.get("index", 0)) == 0
