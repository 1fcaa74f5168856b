"""What can be wrong with a condition or with the document it looks at.

    Invalid
    ├── ConditionInvalid         the tree itself; `field` is the JSON path of the place
    └── DocumentValueInvalid     a value of the document has another type than the catalogue says
"""

from __future__ import annotations

from core.kernel.errors import Invalid


class ConditionInvalid(Invalid):
    """This condition cannot be used.

    `field` is the JSON path of the place, such as `$.all[0].value`.
    """

    code = "condition.invalid"


class DocumentValueInvalid(Invalid):
    """A value does not have the type of its field.

    `field` is the name of the field.
    """

    code = "condition.document_value"
