from weir.core.trace import Step


def test_a_trace_is_walked_in_reading_order_with_depth() -> None:
    leaf = Step("TPP", "2368", "296 x 8")
    other = Step("performance density", "2.91")
    branch = Step("3A090.a.1", "false", children=(leaf,))
    tree = Step("3A090.a", "false", children=(branch, other))
    assert [(depth, step.name) for depth, step in tree.walk()] == [
        (0, "3A090.a"),
        (1, "3A090.a.1"),
        (2, "TPP"),
        (1, "performance density"),
    ]


def test_a_step_alone_walks_to_itself() -> None:
    step = Step("TPP", "unknown")
    assert list(step.walk(3)) == [(3, step)]
