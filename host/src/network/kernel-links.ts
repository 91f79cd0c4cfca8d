import Type from 'typebox'
import { Value } from 'typebox/value'
import type { NetTools } from './run-in.ts'

const Link = Type.Object({
  ifname: Type.String(),
  mtu: Type.Integer(),
  address: Type.Optional(Type.String()),
  master: Type.Optional(Type.String()),
  ifalias: Type.Optional(Type.String()),
  flags: Type.Optional(Type.Array(Type.String())),
  addr_info: Type.Optional(
    Type.Array(Type.Object({ local: Type.Optional(Type.String()), prefixlen: Type.Integer(), scope: Type.String() })),
  ),
})

/** One network interface as the kernel has it. */
export interface KernelLink {
  readonly name: string
  /** Empty where it has none. */
  readonly mac: string
  /** Bytes. */
  readonly mtu: number
  /** The bridge it is a port of; null: of none. */
  readonly master: string | null
  /** Free text; empty: none. */
  readonly alias: string
  readonly up: boolean
  /** `10.0.0.1/24`, but for those that the kernel makes by itself. */
  readonly addresses: readonly string[]
}

/** Every interface of a namespace, by its name. */
export async function kernelLinks(tools: NetTools, space: string | null): Promise<Map<string, KernelLink>> {
  const found = await tools.ask(space, ['address', 'show'])
  if (!Value.Check(Type.Array(Link), found)) throw new Error('`ip -j address` answers in a form that is not known.')
  return new Map(
    found.map((link) => [
      link.ifname,
      {
        name: link.ifname,
        mac: link.address ?? '',
        mtu: link.mtu,
        master: link.master ?? null,
        alias: link.ifalias ?? '',
        up: link.flags?.includes('UP') ?? false,
        addresses: (link.addr_info ?? [])
          .filter(({ local, scope }) => local !== undefined && scope !== 'link' && scope !== 'host')
          .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
      },
    ]),
  )
}
