import { PluginRefusal } from '../network/plugin-server.ts'
import type { FuxiBackend, Wish } from './backend.ts'

/** What the plugin itself reads; everything else is the backend's. */
const common = ['volume_provider', 'size', 'volume_id'] as const

export interface Asked {
  readonly backend: FuxiBackend
  readonly wish: Wish
}

/** What `--opt` asks for, of the first of `backends` unless it names one. Pure; refuses with a sentence. */
export function askedFor(opts: Readonly<Record<string, string>>, backends: readonly FuxiBackend[]): Asked {
  const { volume_provider: provider, size, volume_id: adopt, ...words } = opts
  const backend = backendNamed(provider, backends)
  const known: readonly string[] = [...common, ...backend.optionNames]
  for (const word of Object.keys(words)) {
    if (known.includes(word)) continue
    throw new PluginRefusal(
      400,
      `There is no option "${word}" of ${backend.name} volumes; there are ${known.toSorted().join(', ')}.`,
    )
  }
  const wish = { size: size === undefined ? null : sizeOf(size), adopt: adopt ?? null, words }
  return { backend, wish }
}

function backendNamed(provider: string | undefined, backends: readonly FuxiBackend[]): FuxiBackend {
  const found = provider === undefined ? backends[0] : backends.find(({ name }) => name === provider)
  if (found) return found
  const names = backends.map(({ name }) => name).join(' and ')
  throw new PluginRefusal(400, `There is no volume provider "${provider}" here; there is ${names}.`)
}

/** In GiB. */
function sizeOf(text: string): number {
  const size = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(size) && size > 0) return size
  throw new PluginRefusal(400, `The option size is a whole number of GiB above 0, not "${text}".`)
}

/** As OpenStack's services read a word for yes or no. */
export function booleanOf(option: string, text: string): boolean {
  const word = text.trim().toLowerCase()
  if (['true', 't', 'yes', 'y', 'on', '1'].includes(word)) return true
  if (['false', 'f', 'no', 'n', 'off', '0'].includes(word)) return false
  throw new PluginRefusal(400, `The option ${option} is true or false, not "${text}".`)
}
