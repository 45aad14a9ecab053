"""Prefect plugin: `prefect deployment run NAME` stands for FLOW/NAME where one deployment bears that name.

Prefect's command line splits a name at "/" and refuses a bare one. This wraps the client's look-up, which is no
public extension point: tests/integration/test_deployments.py fails when Prefect changes it, and the full form
`prefect deployment run build-trajectories/build-trajectories` always works without the plugin.
"""

from __future__ import annotations

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.responses import DeploymentResponse
from prefect.plugins import HookContext, register_hook

PREFECT_PLUGIN_API_REQUIRES = ">=0.1,<1"


@register_hook
def setup_environment(*, ctx: HookContext) -> None:  # Prefect's signature
    """Let a bare deployment name be looked up."""
    by_full_name = PrefectClient.read_deployment_by_name

    async def read_deployment_by_name(self: PrefectClient, name: str) -> DeploymentResponse:
        if "/" in name:
            return await by_full_name(self, name)
        named = DeploymentFilter(name=DeploymentFilterName(any_=[name]))
        found = await self.read_deployments(deployment_filter=named)
        if len(found) == 1:
            return found[0]
        if not found:
            return await by_full_name(self, f"{name}/{name}")  # says "not found" as Prefect says it
        full = [f"{(await self.read_flow(deployment.flow_id)).name}/{deployment.name}" for deployment in found]
        raise ValueError(f"{name!r} names {len(found)} deployments: {', '.join(full)}; give one of these")

    PrefectClient.read_deployment_by_name = read_deployment_by_name  # type: ignore[method-assign,assignment]
