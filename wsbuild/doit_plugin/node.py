"""Order-only dependencies for doit: a task that waits for another without being blocked by it.

doit has no such thing: a failed dependency always blocks. Overlapping file scopes and conflict
groups need it, since those workstreams must take turns but do not need each other's results.
"""

from __future__ import annotations

from doit import control


class OrderedNode(control.ExecNode):  # type: ignore[misc]
    """doit's node of a running task; a failure of a task named in `task.after` does not count."""

    def parent_status(self, parent_node: control.ExecNode) -> None:
        """Note that a dependency has ended."""
        if parent_node.task.name not in getattr(self.task, "after", ()):
            super().parent_status(parent_node)


def install_order_only() -> None:
    """Make doit's dispatcher use OrderedNode, which is its own node for tasks without `after`."""
    control.ExecNode = OrderedNode
