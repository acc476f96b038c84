"""Whether a finished audit is complete: the last thing that is asked before its summary.

Whoever explains a shard says that it is done. This looks whether it is there, and refuses to go on where it is not.
May import the modules beside it.
"""

from collections.abc import Mapping
from pathlib import Path

from keras_lime.auditing.storage.shards import ShardManifest, missing_parts

__all__ = ["IncompleteAuditError", "check_complete"]

_MOST_NAMED = 10


class IncompleteAuditError(RuntimeError):
    """Shards were reported as done whose files are not there."""


def check_complete(
    folder: Path, manifests: Mapping[int, ShardManifest], hosts: Mapping[int, str], n_images: int | None
) -> None:
    """Looks at every shard of an audit.

    Args:
        folder: the audit's folder, as this process sees it.
        manifests: of all shards, by number.
        hosts: where each was explained, for those of this session.
        n_images: number of images of the data set, or None where it does not know.

    Raises:
        IncompleteAuditError: if files are missing or damaged, or images or shards are missing.
    """
    absent = sorted(set(range(max(manifests, default=-1) + 1)) - set(manifests))
    broken = {shard: parts for shard, manifest in manifests.items() if (parts := missing_parts(folder, manifest))}
    images = sum(manifest.images for manifest in manifests.values())
    if not absent and not broken and n_images in (None, images):
        return
    named = [f"shard {shard} (never done)" for shard in absent]
    named += [
        f"shard {shard} ({', '.join(parts)} missing or damaged; done on {hosts.get(shard, 'an earlier run')})"
        for shard, parts in sorted(broken.items())
    ]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    counted = "" if n_images is None else f" {images:,} of {n_images:,} images are accounted for."
    raise IncompleteAuditError(
        f"The audit in {str(folder)!r} is not complete, and has no summary:{counted} {', '.join(named[:_MOST_NAMED])}"
        f"{more}. Every host must write to the same folder. Run the audit again with the same arguments: it does "
        "these shards anew."
    )
