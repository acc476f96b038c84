"""A whole data set explained: shards of rows, visual words, and a report for people without TensorBoard.

`schema` says what an audit leaves on disk. The room is not called `audit`, because that is the public function. May
import every room below; pyarrow and Ray when asked for.
"""

__all__: list[str] = []
