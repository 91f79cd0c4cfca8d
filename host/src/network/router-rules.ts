import { isIPv4 } from 'node:net'
import type { RouterPlan } from '@gantry/model'
import { checkedAddress } from './address.ts'
import { linkNames } from './names.ts'

/**
 * What a router translates and forwards, as one transaction that replaces its rules. A floating IP stands for its container
 * in both directions, also for another container of the same router: what comes from inside and was translated once is given
 * a sender on the outside, so that the answer comes back this way.
 */
export function routerRules({ interfaces, external, floatingIps }: RouterPlan): string {
  const whole = floatingIps.flatMap(({ address, fixedAddress }) =>
    fixedAddress === null ? [] : [{ address, fixedAddress }],
  )
  const inside = interfaces.map(({ address, prefix, version }) => ({ cidr: `${address}/${prefix}`, version }))
  const gateway = external ? linkNames.gateway(external.portId) : null
  const version = external ? versionOf(external.address) : 4
  const own = inside.filter((each) => each.version === version).map(({ cidr }) => cidr)
  const field = version === 4 ? 'ip' : 'ip6'

  const dnat = [
    ...whole.map(
      ({ address, fixedAddress }) => `${match(address, 'daddr')} dnat ${familyOf(fixedAddress)} to ${fixedAddress}`,
    ),
    ...floatingIps.flatMap(({ address, forwardings }) =>
      forwardings.map((to) => {
        const target = `${bracketed(checkedAddress(to.address, versionOf(to.address)))}:${to.internalPort}`
        return `${match(address, 'daddr')} ${to.protocol} dport ${to.externalPort} dnat ${familyOf(to.address)} to ${target}`
      }),
    ),
  ]
  const snat = external
    ? [
        // From inside to a floating IP: whatever way it goes on, it must come back through here.
        ...whole.map(
          ({ address, fixedAddress }) =>
            `ct status dnat ${match(fixedAddress, 'saddr')} snat ${familyOf(address)} to ${address}`,
        ),
        ...(own.length === 0
          ? []
          : [`ct status dnat ${field} saddr { ${own.join(', ')} } snat ${field} to ${external.address}`]),
        ...whole.map(
          ({ address, fixedAddress }) =>
            `oifname "${gateway}" ${match(fixedAddress, 'saddr')} snat ${familyOf(address)} to ${address}`,
        ),
        ...(external.snat && own.length > 0
          ? [`oifname "${gateway}" ${field} saddr { ${own.join(', ')} } snat ${field} to ${external.address}`]
          : []),
      ]
    : []
  // Where inner addresses are hidden, nobody outside may use them.
  const hidden = external?.snat ? ['ct status dnat accept', `iifname "${gateway}" ct state new drop`] : []
  // A port that is not filtered may use any sender, but outside others have theirs.
  const strangers = own.length === 0 ? '' : `${field} saddr != { ${own.join(', ')} } `
  const forward = external ? [`oifname "${gateway}" ${strangers}drop`, ...hidden] : []
  return `add table inet gantry
delete table inet gantry
table inet gantry {
  chain prerouting { type nat hook prerouting priority dstnat; policy accept;
${indented(dnat)}  }
  chain postrouting { type nat hook postrouting priority srcnat; policy accept;
${indented(snat)}  }
  chain forward { type filter hook forward priority 0; policy accept;
${indented(forward)}  }
}
`
}

function match(address: string, field: 'saddr' | 'daddr'): string {
  return `${familyOf(address)} ${field} ${checkedAddress(address, versionOf(address))}`
}

function versionOf(address: string): 4 | 6 {
  return isIPv4(address) ? 4 : 6
}

function familyOf(address: string): 'ip' | 'ip6' {
  return isIPv4(address) ? 'ip' : 'ip6'
}

function bracketed(address: string): string {
  return isIPv4(address) ? address : `[${address}]`
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}\n`).join('')
}
