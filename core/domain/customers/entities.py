"""The entity types of customers. Name, phone and the like are written in clear, stored sealed and shown masked."""

from __future__ import annotations

from core.domain.customers.models import Address, Customer
from core.domain.customers.service import create_address, create_customer, delete_customer, update_address, update_customer
from core.engines.metadata import Choice, EntityType, Field, FieldType, Related
from core.engines.metadata.records import deleter
from core.kernel.messages import N_

CUSTOMER = EntityType(
    key="customers.customer",
    resource="customers",
    model=Customer,
    label=N_("Customer"),
    label_plural=N_("Customers"),
    area="customers",
    fields=(
        Field("name_masked", N_("Name"), is_writable=False, is_personal=True),
        Field(
            "kind",
            N_("Kind"),
            FieldType.CHOICE,
            choices=(Choice("person", N_("Private person")), Choice("company", N_("Company"), "info")),
            default="person",
            is_filterable=True,
        ),
        Field("phone_masked", N_("Phone"), is_writable=False, is_personal=True),
        Field("email_masked", N_("Email"), is_writable=False, is_personal=True),
        Field("name", N_("Name"), is_required=True, max_length=120, is_personal=True, is_write_only=True),
        Field("phone", N_("Phone"), max_length=40, is_personal=True, is_write_only=True),
        Field("email", N_("Email"), max_length=254, is_personal=True, is_write_only=True),
        Field("tax_number", N_("Tax number"), max_length=40, is_personal=True, is_write_only=True),
        Field("tags", N_("Tags"), FieldType.TAGS),
        Field(
            "is_blocked",
            N_("Blocked"),
            FieldType.BOOLEAN,
            is_filterable=True,
            help=N_("Their orders are held, those that have not shipped yet and those to come, until you unblock them."),
        ),
        Field("note", N_("Note"), FieldType.LONG_TEXT, max_length=2000),
        Field("created_at", N_("Customer since"), FieldType.DATETIME, is_writable=False),
    ),
    list_fields=("name_masked", "kind", "phone_masked", "email_masked", "tags", "is_blocked", "created_at"),
    form_fields=("kind", "name", "phone", "email", "tax_number", "tags", "is_blocked", "note"),
    title_field="name_masked",
    related=(
        Related("customers.address", "customer_id", N_("Addresses")),
        Related("orders.order", "customer_id", N_("Orders")),
    ),
    create=create_customer,
    update=update_customer,
    delete=delete_customer,
    menu="customers",
    icon="users",
    empty=N_("Customers appear here with their first order. You can also add one by hand."),
)

ADDRESS = EntityType(
    key="customers.address",
    parent=("customers.customer", "customer_id"),
    resource="addresses",
    model=Address,
    label=N_("Address"),
    label_plural=N_("Addresses"),
    area="customers",
    fields=(
        Field(
            "customer_id",
            N_("Customer"),
            FieldType.REFERENCE,
            target="customers.customer",
            is_required=True,
            create_only=True,
            is_filterable=True,
        ),
        Field("label", N_("Label"), max_length=60),
        Field("name_masked", N_("Name"), is_writable=False, is_personal=True),
        Field("phone_masked", N_("Phone"), is_writable=False, is_personal=True),
        Field("street_masked", N_("Street"), is_writable=False, is_personal=True),
        Field("name", N_("Name"), max_length=120, is_personal=True, is_write_only=True),
        Field("phone", N_("Phone"), max_length=40, is_personal=True, is_write_only=True),
        Field("country", N_("Country"), max_length=60),
        Field("province", N_("Province"), max_length=60),
        Field("city", N_("City"), max_length=60),
        Field("district", N_("District"), max_length=60),
        Field("street", N_("Street"), max_length=300, is_personal=True, is_write_only=True),
        Field("postcode", N_("Postcode"), max_length=20),
        Field("is_default", N_("Default"), FieldType.BOOLEAN),
    ),
    list_fields=("label", "name_masked", "phone_masked", "province", "city", "street_masked", "is_default"),
    form_fields=("customer_id", "label", "name", "phone", "country", "province", "city", "district", "street", "postcode", "is_default"),
    title_field="label",
    create=create_address,
    update=update_address,
    delete=deleter(Address),
    menu="customers",
    empty=N_("No address yet."),
)

ENTITIES = (CUSTOMER, ADDRESS)
