"""A parsed template with its costs written into it: loops, macros, joined and sliced values.

The names of the filters that count begin with a blank, so that no template can use them.
"""

from typing import Any, TypeVar, cast

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

LOOP, SPEND, CONCAT, MADE, WALKED = " loop", " spend", " concat", " made", " walked"

_SLOW = (nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Test, nodes.Call, nodes.BinExpr)
_VARYING = (nodes.Name, nodes.Filter, nodes.Test, nodes.Call, nodes.BinExpr)
"""A container without these is a constant, and no longer than the template itself."""
_EXACT = ("eq", "ne")
_NODES_A_STEP = 2
_Container = TypeVar("_Container", nodes.List, nodes.Tuple, nodes.Dict)


def cost_of(node: nodes.Node) -> int:
    """Give the steps of going through a piece of a template once."""
    found = list(node.find_all(nodes.Node))
    slow = sum(isinstance(one, _SLOW) for one in found)
    return 1 + (len(found) + 3 * slow) // _NODES_A_STEP


class Rewriter(NodeTransformer):
    """Puts the counting filters into a tree."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - named by the visitor
        """Each turn costs what stands in the loop."""
        cost = cost_of(node)
        self.generic_visit(node)
        node.iter = _filtered(LOOP, cast("nodes.Expr", node.iter), nodes.Const(cost))
        if node.recursive:
            node.body.insert(0, _spending(cost, node))
        return node

    def visit_Macro(self, node: Any) -> nodes.Node:  # noqa: N802 - named by the visitor
        """Each call costs what stands in it."""
        cost = cost_of(node)
        self.generic_visit(node)
        node.body.insert(0, _spending(cost, node))
        return node  # type: ignore[no-any-return] # one of three nodes with a body

    visit_CallBlock = visit_Macro  # noqa: N815 - named by the visitor
    visit_Block = visit_Macro  # noqa: N815 - named by the visitor

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - as above
        """`a ~ b` makes a text."""
        self.generic_visit(node)
        return _filtered(CONCAT, nodes.List(node.nodes, lineno=node.lineno))

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 - as above
        """Comparing walks through both sides, unless one of them is a plain constant."""
        self.generic_visit(node)
        sides = [node.expr, *(operand.expr for operand in node.ops)]
        exact = all(operand.op in _EXACT for operand in node.ops)
        if exact and any(isinstance(side, nodes.Const) for side in sides):
            return node
        node.expr = _walked(node.expr)
        for operand in node.ops:
            operand.expr = _walked(operand.expr)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - as above
        """A slice is a copy."""
        self.generic_visit(node)
        return _filtered(MADE, node) if isinstance(node.arg, nodes.Slice) else node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802 - as above
        """A list costs all that is in it, so that none can hold itself many times over."""
        return self._container(node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802 - as above
        """As a list."""
        return self._container(node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802 - as above
        """As a list, where it is no target of an assignment."""
        return node if node.ctx != "load" else self._container(node)

    def _container(self, node: _Container) -> nodes.Node:
        self.generic_visit(node)
        constant = not any(node.find_all(_VARYING))
        return node if constant else _filtered(WALKED, node)


def _walked(node: nodes.Expr) -> nodes.Expr:
    return node if isinstance(node, nodes.Const) else _filtered(WALKED, node)


def _filtered(name: str, node: nodes.Expr, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _spending(cost: int, node: nodes.Node) -> nodes.ExprStmt:
    spend = nodes.Filter(nodes.Const(cost), SPEND, [], [], None, None, lineno=node.lineno)
    return nodes.ExprStmt(spend, lineno=node.lineno)
