import Type, { type Static } from 'typebox'
import { Value } from 'typebox/value'
import type { NetTools } from './run-in.ts'

const Link = Type.Object({
  ifname: Type.String(),
  mtu: Type.Integer(),
  address: Type.Optional(Type.String()),
  ifalias: Type.Optional(Type.String()),
  master: Type.Optional(Type.String()),
  flags: Type.Optional(Type.Array(Type.String())),
  addr_info: Type.Optional(
    Type.Array(Type.Object({ local: Type.Optional(Type.String()), prefixlen: Type.Integer(), scope: Type.String() })),
  ),
})

const Links = Type.Array(Link)

/** One network interface as the kernel has it. */
export interface KernelLink {
  readonly name: string
  /** Empty where it has none. */
  readonly mac: string
  /** Bytes. */
  readonly mtu: number
  /** Free text; empty: none. */
  readonly alias: string
  /** The bridge that it is on; empty: none. */
  readonly master: string
  readonly up: boolean
  /** `10.0.0.1/24`, but for those that the kernel makes by itself. */
  readonly addresses: readonly string[]
}

/** Every interface of a namespace, by its name. */
export async function kernelLinks(tools: NetTools, space: string | null): Promise<Map<string, KernelLink>> {
  // Only `link` tells aliases, only `address` addresses.
  const text = await tools.sh(space, 'ip -j link show; echo; ip -j address show')
  const [links = '', addresses = ''] = text.split(/\n+/)
  const withAddresses = new Map(parsed(addresses).map((link) => [link.ifname, link.addr_info ?? []]))
  return new Map(
    parsed(links).map((link) => [
      link.ifname,
      {
        name: link.ifname,
        mac: link.address ?? '',
        mtu: link.mtu,
        alias: link.ifalias ?? '',
        master: link.master ?? '',
        up: link.flags?.includes('UP') ?? false,
        addresses: (withAddresses.get(link.ifname) ?? [])
          .filter(({ local, scope }) => local !== undefined && scope !== 'link' && scope !== 'host')
          .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
      },
    ]),
  )
}

function parsed(text: string): Static<typeof Link>[] {
  const found: unknown = text === '' ? [] : JSON.parse(text)
  if (!Value.Check(Links, found)) throw new Error('`ip -j` answers in a form that is not known.')
  return found
}
