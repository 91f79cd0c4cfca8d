import { execFile } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { HostFacts } from '@gantry/model'

const run = promisify(execFile)

/** What this machine runs in, and which server of Nova's it is, as far as it can tell. */
export async function machineKind(): Promise<Pick<HostFacts, 'virtualization' | 'instance'>> {
  const [virtualization, instance] = await Promise.all([detected(), novaServer()])
  return { virtualization, ...(instance !== null && { instance }) }
}

/** In the words of systemd-detect-virt (`none`, `kvm`, `docker`, …), which ends with 1 where it says `none`. */
async function detected(): Promise<string> {
  const said = await run('systemd-detect-virt').catch((error: unknown) => error as { readonly stdout?: string })
  const word = said.stdout?.trim() ?? ''
  if (word !== '') return word
  if (await isThere('/run/.containerenv')) return 'podman'
  if (await isThere('/.dockerenv')) return 'docker'
  const product = await read('/sys/class/dmi/id/product_name')
  return /kvm|qemu|openstack|virtual/i.test(product) ? 'vm' : 'none'
}

/** Nova's hypervisors show a server's id as the serial number of its machine. A container sees that of the machine below it. */
async function novaServer(): Promise<string | null> {
  if (!/openstack/i.test(await read('/sys/class/dmi/id/sys_vendor'))) return null
  const id = (await read('/sys/class/dmi/id/product_uuid')).toLowerCase()
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : null
}

const read = (path: string): Promise<string> =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => '',
  )
const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
