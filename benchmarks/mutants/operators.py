"""The faults: Cosmic Ray's own operators that make sense for numerical code, and those of this field.

An operator finds places in a syntax tree (parso) and changes one of them. The operators of this field are
slips that authors of such code make: α for β, 1/λ for λ, a forgotten dimension, sign, root or tolerance.
"""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import cosmic_ray.plugins
import parso
from cosmic_ray.operators.operator import Example, Operator

KEPT_OF_COSMIC_RAY = (
    *(f"core/ReplaceBinaryOperator_{a}_{b}" for a, b in (("Add", "Sub"), ("Sub", "Add"), ("Mul", "Div"))),
    *(f"core/ReplaceBinaryOperator_{a}_{b}" for a, b in (("Div", "Mul"), ("Pow", "Mul"))),
    *(f"core/ReplaceComparisonOperator_{a}_{b}" for a, b in (("Lt", "GtE"), ("Gt", "LtE"), ("LtE", "Gt"))),
    *(
        f"core/ReplaceComparisonOperator_{a}_{b}"
        for a, b in (("GtE", "Lt"), ("Eq", "NotEq"), ("NotEq", "Eq"))
    ),
    "core/ReplaceUnaryOperator_Delete_USub",
    "core/ReplaceUnaryOperator_Delete_Not",
    "core/ReplaceAndWithOr",
    "core/ReplaceOrWithAnd",
    "core/ReplaceTrueWithFalse",
    "core/ReplaceFalseWithTrue",
    "core/ReplaceBreakWithContinue",
    "core/ReplaceContinueWithBreak",
    "core/NumberReplacer",
    "core/ZeroIterationForLoop",
)
LEFT_OUT_OF_COSMIC_RAY = {
    "other pairs of binary operators": "+ for @ or << for * raise at once and measure nothing",
    "other pairs of comparisons": "< for ≤ differs only where floats tie, is for == does not do arithmetic",
    "AddNot": "the comparison operators and Delete_Not make the same faults",
    "ExceptionReplacer, RemoveDecorator": "they test the interpreter's handling, not the mathematics",
    "VariableInserter, VariableReplacer": "they need a list of variables; our own operators name them",
}


def _is_used(node: Any) -> bool:
    """A name that is read: neither bound, imported, an attribute nor the keyword of an argument."""
    if node.type != "name" or node.is_definition() or node.get_definition(import_name_always=True):
        return False
    parent = node.parent
    keyword = parent.type == "argument" and parent.children[0] is node
    return (
        not keyword and not _is_attribute(node) and parent.type not in ("param", "dotted_name", "global_stmt")
    )


def _is_attribute(node: Any) -> bool:
    parent = node.parent
    return node.type == "name" and parent.type == "trailer" and parent.children[0] == "."


def _parsed(text: str, before: str) -> Any:
    """An expression as a leaf that is printed as it is, after the white space that stood there."""
    return parso.python.tree.Name(text, (0, 0), prefix=before)


class _Rewrite(Operator):  # type: ignore[misc]
    """An operator that replaces expressions by texts made of them."""

    shown: ClassVar[tuple[tuple[str, str], ...]] = ()

    def rewritten(self, node: Any) -> Iterator[str]:
        """Each text that may stand for ``node``; none where the operator does not apply."""
        raise NotImplementedError

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        """Once for each text."""
        for _ in self.rewritten(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """The node with its text of this index."""
        return _parsed(list(self.rewritten(node))[index], node.get_first_leaf().prefix)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Code before and after."""
        return tuple(Example(before, after) for before, after in cls.shown)


class _Swap(_Rewrite):
    """One name for its partner, as a variable, a function or an attribute."""

    partners: ClassVar[dict[str, str]] = {}

    def rewritten(self, node: Any) -> Iterator[str]:
        """The partner."""
        if node.type == "name" and node.value in self.partners and (_is_used(node) or _is_attribute(node)):
            yield self.partners[node.value]


def _both_ways(*pairs: tuple[str, str]) -> dict[str, str]:
    return dict(pairs) | {b: a for a, b in pairs}


class SwapAlphaBeta(_Swap):
    """α ↔ β."""

    partners = _both_ways(("alpha", "beta"), ("alpha_dot", "beta_dot"))
    shown = (("x = alpha * y", "x = beta * y"), ("x = s.beta_dot(t)", "x = s.alpha_dot(t)"))


class SwapMinMax(_Swap):
    """min ↔ max."""

    partners = _both_ways(("minimum", "maximum"), ("min", "max"), ("argmin", "argmax"), ("fmin", "fmax"))
    shown = (("x = np.minimum(a, b)", "x = np.maximum(a, b)"), ("x = a.argmax()", "x = a.argmin()"))


class InvertStep(_Rewrite):
    """λ → 1/λ."""

    shown = (("x = z - step * y", "x = z - (1 / step) * y"),)

    def rewritten(self, node: Any) -> Iterator[str]:
        """The reciprocal of a step."""
        if node.type == "name" and node.value in ("step", "steps") and _is_used(node):
            yield f"(1 / {node.value})"


class TurnBend(_Rewrite):
    """The sign of a curvature."""

    shown = (("x = 1 + curvature * r", "x = 1 + (-curvature) * r"),)

    def rewritten(self, node: Any) -> Iterator[str]:
        """Minus the curvature."""
        if (
            node.type == "name"
            and re.fullmatch(r"curvatures?|bends?|hessians?", node.value)
            and _is_used(node)
        ):
            yield f"(-{node.value})"


class DropDimension(_Rewrite):
    """A forgotten factor of a dimension."""

    shown = (("x = 2 * self.dim * y", "x = 2 * 1 * y"), ("x = d * y", "x = 1 * y"))

    def rewritten(self, node: Any) -> Iterator[str]:
        """1 for a factor that is a dimension."""
        factor = node.parent is not None and node.parent.type == "term"
        if factor and re.fullmatch(r"([\w.]+\.)?dim|d|m", node.get_code(include_prefix=False)):
            yield "1"


class DropRoot(_Rewrite):
    """A missing square root."""

    shown = (("x = np.sqrt(a + b)", "x = (a + b)"),)

    def rewritten(self, node: Any) -> Iterator[str]:
        """The radicand."""
        if node.type in ("power", "atom_expr") and len(node.children) == 3:
            head = node.children[0].get_code(include_prefix=False) + node.children[1].get_code()
            if head in ("np.sqrt", "math.sqrt", "torch.sqrt"):
                yield node.children[2].get_code()


class OneLess(_Rewrite):
    """n − 1 for n."""

    shown = (("x = np.arange(n)", "x = np.arange((n - 1))"),)

    def rewritten(self, node: Any) -> Iterator[str]:
        """One less than a number of things."""
        if node.type == "name" and node.value in ("n", "count", "order") and _is_used(node):
            yield f"({node.value} - 1)"


class MoveTolerance(_Rewrite):
    """A tolerance × 10⁶ and ÷ 10⁶."""

    shown = (("x = 8 * EPS", "x = 8 * (1e6 * EPS)"),)

    def rewritten(self, node: Any) -> Iterator[str]:
        """The tolerance, too large and too small."""
        if node.type == "name" and re.fullmatch(r"EPS|UNIT|tol|\w*tolerance", node.value) and _is_used(node):
            yield f"(1e6 * {node.value})"
            yield f"(1e-6 * {node.value})"


class InflateStatement(_Rewrite):
    """A stated rounding × 10⁶ and ÷ 10⁶."""

    shown = (("x = Rounding(a, 3, 'why')", "x = Rounding(1e6 * (a), 3, 'why')"),)

    def rewritten(self, node: Any) -> Iterator[str]:
        """The same statement of another size."""
        if node.type not in ("power", "atom_expr"):
            return
        head = "".join(child.get_code(include_prefix=False) for child in node.children[:-1])
        call = node.children[-1]
        arguments = call.children[1] if call.type == "trailer" and len(call.children) == 3 else None
        if head not in ("Rounding", "Rounding.measured") or arguments is None or arguments.type != "arglist":
            return
        size = arguments.children[0].get_code(include_prefix=False)
        rest = "".join(child.get_code() for child in arguments.children[1:])
        if arguments.children[0].type != "argument":
            yield f"{head}(1e6 * ({size}){rest})"
            yield f"{head}(1e-6 * ({size}){rest})"


OF_THIS_FIELD = (
    SwapAlphaBeta,
    SwapMinMax,
    InvertStep,
    TurnBend,
    DropDimension,
    DropRoot,
    OneLess,
    MoveTolerance,
    InflateStatement,
)


def every_operator() -> dict[str, Any]:
    """Name → an instance, in a fixed order."""
    ours = {f"field/{operator.__name__}": operator() for operator in OF_THIS_FIELD}
    return ours | {name: cosmic_ray.plugins.get_operator(name)() for name in KEPT_OF_COSMIC_RAY}
