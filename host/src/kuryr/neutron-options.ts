import { PluginRefusal } from '../network/plugin-server.ts'

/** An object that the user names, by id or by name; null: she names none. */
export type Wish = { readonly id: string } | { readonly name: string } | null

/** What `-o` and `--ipam-opt` may say, of kuryr-libnetwork. */
export interface NeutronOptions {
  readonly network: Wish
  readonly subnet: Wish
  readonly pool: Wish
  /** null: not told. */
  readonly shared: boolean | null
}

const known = new Set([
  'neutron.net.uuid',
  'neutron.net.name',
  'neutron.net.shared',
  'neutron.subnet.uuid',
  'neutron.subnet.name',
  'neutron.subnet.v6.uuid',
  'neutron.subnet.v6.name',
  'neutron.pool.uuid',
  'neutron.pool.name',
  'neutron.pool.v6.uuid',
  'neutron.pool.v6.name',
])

/** Reads them for one family of addresses. Throws a sentence for one that is misspelt: it would have no effect. */
export function neutronOptions(options: Readonly<Record<string, unknown>>, version: 4 | 6): NeutronOptions {
  for (const key of Object.keys(options)) {
    if (!key.startsWith('neutron.') || known.has(key)) continue
    throw new PluginRefusal(400, `There is no option ${key}; there are: ${[...known].join(', ')}.`)
  }
  const infix = version === 6 ? '.v6' : ''
  return {
    network: wishOf(options, 'neutron.net'),
    subnet: wishOf(options, `neutron.subnet${infix}`),
    pool: wishOf(options, `neutron.pool${infix}`),
    shared: flagOf(options['neutron.net.shared']),
  }
}

function wishOf(options: Readonly<Record<string, unknown>>, key: string): Wish {
  const [id, name] = [options[`${key}.uuid`], options[`${key}.name`]]
  if (typeof id === 'string' && id !== '') return { id }
  return typeof name === 'string' && name !== '' ? { name } : null
}

function flagOf(value: unknown): boolean | null {
  if (value === undefined || value === '') return null
  const text = typeof value === 'string' || typeof value === 'boolean' ? String(value) : ''
  if (/^(true|1|yes)$/i.test(text)) return true
  if (/^(false|0|no)$/i.test(text)) return false
  throw new PluginRefusal(400, `neutron.net.shared is true or false, not "${text}".`)
}
