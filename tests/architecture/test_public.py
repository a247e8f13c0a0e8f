import inspect

import pytest

import weir


def test_the_public_names_are_those_that_can_be_had() -> None:
    assert sorted(weir.__all__) == sorted(set(weir.__all__))
    assert dir(weir) == sorted(weir.__all__)
    with pytest.raises(AttributeError, match="no attribute 'asses'"):
        weir.asses  # noqa: B018


@pytest.mark.parametrize("name", [name for name in weir.__all__ if name != "__version__"])
def test_a_public_name_leads_to_something_documented(name: str) -> None:
    thing = getattr(weir, name)
    assert thing.__name__ == name
    assert (inspect.getdoc(thing) or "").strip(), f"weir.{name} has no docstring"
    # What pydantic or dataclasses write for want of a docstring starts with the signature.
    assert not (inspect.getdoc(thing) or "").startswith(f"{name}("), f"weir.{name}: no docstring"


@pytest.mark.parametrize("name", [name for name in weir.__all__ if name[0].islower()])
def test_a_public_function_is_typed_throughout(name: str) -> None:
    signature = inspect.signature(getattr(weir, name))
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty, f"{name}({parameter.name})"
