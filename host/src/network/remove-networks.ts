import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { dockerDriverName } from './docker-driver.ts'
import { dockerPluginFolder } from './plugin-server.ts'
import { externalBridges } from './external-bridges.ts'
import { unplugAll } from './binding/binder.ts'
import { bindingMark, hostTag, namespaceIds } from './names.ts'
import { removeNamespace } from './network-space.ts'
import { netTools } from './run-in.ts'

/** Takes down every network that the agent of `deployment` built on this machine. Only when neither it nor its containers run. */
export async function removeNetworks(deployment: string): Promise<void> {
  const tag = hostTag(deployment)
  const tools = netTools()
  for (const id of await namespaceIds(tag)) await removeNamespace(tools, tag, id)
  const engineSpace = `/proc/${process.pid}/ns/net`
  await unplugAll(tools, engineSpace, bindingMark(tag))
  await externalBridges({ tag, tools, engineSpace, plans: () => [] }).refresh()
  await rm(join(dockerPluginFolder, `${dockerDriverName(tag)}.sock`), { force: true })
}
