import { join } from 'node:path'
import type { SupplyPolicy } from '@gantry/control'
import { ratioOf } from './placement-options.ts'

/** Hosts that are made when containers find none. */
export interface DemandOptions {
  readonly compute:
    | { readonly kind: 'embedded'; readonly engineSocket: string }
    | { readonly kind: 'nova'; readonly settingsFile: string }
  readonly policy: SupplyPolicy
}

export const demandFlags = {
  compute: { type: 'string' },
  'compute-engine': { type: 'string' },
  'compute-settings': { type: 'string' },
  'hosts-ratio': { type: 'string', default: '10' },
  'hosts-linger': { type: 'string', default: '60' },
  'hosts-boot-timeout': { type: 'string' },
  'hosts-most': { type: 'string', default: '20' },
  'hosts-for': { type: 'string' },
} as const

export const demandUsage = `\
  --compute embedded|nova    makes hosts when containers find none: system containers on this machine, or servers of Nova's
  --compute-engine unix:///PATH  the engine of this machine that holds them, for embedded (default: DOCKER_HOST, else Docker's)
  --compute-settings FILE    how servers of Nova's are made (default: compute.yaml in the home)
  --hosts-ratio N            containers on one such host, at most (default: 10)
  --hosts-linger SECONDS     how long one without containers stays (default: 60)
  --hosts-boot-timeout SECONDS  how long one may take to join (default: 60, 600 for nova)
  --hosts-most N             at most so many of them (default: 20)
  --hosts-for all|project    whose containers one takes: everybody's, or one project's alone (default: all, project for nova)
`

type Values = { readonly [K in keyof typeof demandFlags]?: string | undefined }

/** Throws a sentence for the user. null: hosts only come by themselves. */
export function readDemand(values: Values, home: string, env: NodeJS.ProcessEnv): DemandOptions | null {
  const { compute } = values
  if (compute === undefined) return null
  if (compute !== 'embedded' && compute !== 'nova') {
    throw new Error(`--compute must be embedded or nova, not ${JSON.stringify(compute)}.`)
  }
  const whom = values['hosts-for'] ?? (compute === 'nova' ? 'project' : 'all')
  if (whom !== 'all' && whom !== 'project') throw new Error(`--hosts-for must be all or project, not ${whom}.`)
  const engine = values['compute-engine'] ?? env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'
  if (!/^(unix:\/\/)?\//.test(engine)) {
    throw new Error(`--compute-engine must be on this machine (unix:///path), not at ${engine}.`)
  }
  const seconds = (option: 'hosts-linger' | 'hosts-boot-timeout', usual: string) =>
    ratioOf(values[option] ?? usual, `--${option}`) * 1000
  return {
    compute:
      compute === 'nova'
        ? { kind: 'nova', settingsFile: values['compute-settings'] ?? join(home, 'compute.yaml') }
        : { kind: 'embedded', engineSocket: engine.replace(/^unix:\/\//, '') },
    policy: {
      perInstance: Math.floor(ratioOf(values['hosts-ratio'] ?? '10', '--hosts-ratio')),
      lingerMs: seconds('hosts-linger', '60'),
      bootTimeoutMs: seconds('hosts-boot-timeout', compute === 'nova' ? '600' : '60'),
      attempts: 3,
      retryMs: 5000,
      most: Math.floor(ratioOf(values['hosts-most'] ?? '20', '--hosts-most')),
      shared: whom === 'all',
    },
  }
}
