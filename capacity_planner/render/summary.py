"""What a plan comes to, in sentences that every rendering for people shows."""

from ..layout.values import Plan, Room, Space


def headline(plan: Plan) -> str:
    """What the plan is: where, when, for how much."""
    region = f"{plan.region}, " if plan.region else ""
    horizon = f"{plan.growth:.2f} times today's demand" + (f" in {plan.years:g} years" if plan.years else "")
    return f"{region}{', '.join(plan.azs)}; as of {plan.as_of}; sized for {horizon}; ENIs by {plan.model.value}"


def savings(plan: Plan) -> str:
    """What the layout saves of the company's addresses."""
    saved = plan.savings
    return (
        f"routable: {saved.used:,} addresses in use, {saved.reserved:,} kept beside them; one VPC for all would take "
        f"{saved.one_vpc:,} (saved: {saved.one_vpc - saved.used:,}), by the rule of 2019 {saved.one_vpc_legacy:,}"
    )


def free(space: Space) -> str:
    """What is free in a parent after the plan."""
    kind = "routable" if space.is_routable else "not routable"
    others = f", others hold {space.others:,}" if space.others else ""
    return f"{space.block} ({kind}): {room(space.room)}{others}"


def room(one: Room) -> str:
    """What is free, its largest block, and how fragmented it is."""
    if one.largest is None:
        return "nothing free"
    return f"{one.addresses:,} free, largest block /{one.largest}, fragmentation {one.fragmentation:.0%}"


def assumptions(plan: Plan) -> str:
    """The named assumptions that the plan rests on."""
    found = (f"{one.key} {one.value:g} {one.unit}" for one in plan.figures if one.kind == "assumption")
    return "assumed: " + "; ".join(found)
