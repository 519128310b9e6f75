"""Planning: what a delivery comes to once its target was read and policy was asked."""

from dataclasses import dataclass

from interlock.core.context import context_of
from interlock.core.decision import Decision, Question, Resource
from interlock.core.delivery import Lease
from interlock.core.plan import Plan
from interlock.core.site import Site
from interlock.core.step import Rejected, Unavailable
from interlock.ports import Authorizer, Clock, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Plans deliveries to one target. Changes nothing anywhere."""

    target: Target
    site: Site
    authorizer: Authorizer
    clock: Clock

    def at_once(self, lease: Lease) -> Plan | None:
        """The plan, if it follows from the event alone and has a step."""
        facts = self.target.known(lease)
        if facts is None:
            return None
        plan = self._decided(lease, self.target.plan(lease, facts))
        return plan if isinstance(plan, Plan) and plan.steps else None

    async def propose(self, lease: Lease) -> Plan | Rejected | Unavailable:
        """The plan with only what policy allows; what it denies is among `left`."""
        facts = await self.target.look(lease)
        if isinstance(facts, Rejected | Unavailable):
            return facts
        return self._decided(lease, self.target.plan(lease, facts))

    def _decided(self, lease: Lease, plan: Plan | Rejected) -> Plan | Rejected:
        if isinstance(plan, Rejected):
            return plan
        if plan.disorder:
            return Rejected(f"the connector's plan cannot be carried out: {plan.disorder}")
        answers = {step.key: self.decide(lease, step.action, step.resource) for step in plan.steps}
        denied = {
            key: f"denied: {answer.why}" for key, answer in answers.items() if not answer.allowed
        }
        allowed = plan.without(denied) if denied else plan
        if plan.steps and not allowed.steps:
            return Rejected(f"policy denies all of it: {next(iter(denied.values()))}")
        return allowed

    def decide(self, lease: Lease, action: str, resource: Resource) -> Decision:
        """What policy says now of doing that under the authority of the hand-off."""
        handoff = lease.handoff
        return self.authorizer.decide(
            Question(
                principal=handoff.principal,
                action=action,
                resource=resource,
                context=context_of(
                    lease.event, handoff.principal, self.site, self.clock.now(), handoff.hop
                ),
            )
        )
