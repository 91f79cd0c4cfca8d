import { reasonOf } from '@gantry/kernel'
import { namespaceName, namespacePath } from './names.ts'
import type { NetTools } from './run-in.ts'

/**
 * Why this machine cannot build networks, as a sentence; null: it can. Found out by building a very small one, since a
 * machine without the rights or the kernel for it looks fine until then.
 */
export async function networkProblem(tools: NetTools, tag: string): Promise<string | null> {
  if (process.geteuid?.() !== 0) return 'The agent does not run as root, so it cannot build networks; start it as root.'
  for (const [program, pack] of programs) {
    const found = await tools.sh(null, `command -v ${program}`).catch(() => null)
    if (found === null) return `The program ${program} is missing, so no network can be built; install ${pack}.`
  }
  const name = namespaceName(tag, 'trial')
  const path = namespacePath(tag, 'trial')
  try {
    await tools.sh(null, `ip netns del ${name} 2>/dev/null || true; ip netns add ${name}`)
    await tools.ip(path, [
      'link add br0 type bridge',
      'link add one type veth peer name two',
      'link set one master br0',
    ])
    await tools.nft(path, trialRules)
    // A module on some kernels; a bridge alone does not bring it.
    const sees = () => tools.sh(path, 'cat /proc/sys/net/bridge/bridge-nf-call-iptables')
    await sees().catch(async () => {
      await tools.sh(null, 'modprobe br_netfilter')
      await sees()
    })
    return null
  } catch (error) {
    const reason = reasonOf(error)
    if (/br_netfilter|bridge-nf/.test(reason)) {
      return 'The kernel has no br_netfilter, so security groups cannot filter; load that module, or use a kernel with it.'
    }
    return `A network could not be built for trial: ${reason}`
  } finally {
    await tools.sh(null, `ip netns del ${name}`).catch(() => undefined)
  }
}

/** With the packages of Debian. */
const programs = [
  ['ip', 'iproute2'],
  ['nft', 'nftables'],
  ['nsenter', 'util-linux'],
] as const

const trialRules = `table inet gantry {
  chain forward { type filter hook forward priority 0; ct state established meta mark set 1; }
  chain nat { type nat hook postrouting priority srcnat; masquerade; }
}
table bridge gantry {
  map from { type ifname : verdict; }
  chain forward { type filter hook forward priority 10; iifname vmap @from; }
}
`
