import type { Container } from '@gantry/model'
import { dockerId } from './ids.ts'
import { stateOf, statusText } from './translate-state.ts'
import type { Surroundings } from './surroundings.ts'

/** One entry of `GET /containers/json`, from the record alone: it needs no host. */
export function summaryOf(container: Container, around: Surroundings, nowMs: number): Record<string, unknown> {
  const { id, name, spec, observed, createdAt } = container
  const { engine } = observed
  return {
    Id: dockerId(id),
    Names: [`/${name}`],
    Image: imageAsked(spec),
    ImageID: engine?.imageDigest ?? '',
    Command: commandText(container),
    Created: Math.floor(createdAt / 1000),
    Ports: around.ports(container),
    Labels: spec.labels,
    State: stateOf(container),
    Status: statusText(container, nowMs),
    HostConfig: { NetworkMode: around.networkMode(container) },
    NetworkSettings: { Networks: around.networks(container) },
    Mounts: around.mounts(container),
  }
}

/** As whoever made it wrote it: a name, or the beginning of an id. */
export function imageAsked({ image, options }: Container['spec']): string {
  const config = options?.asked?.['config']
  const asked = typeof config === 'object' && config !== null && 'Image' in config ? config.Image : undefined
  return typeof asked === 'string' && asked !== '' ? asked : image
}

/** Entrypoint and arguments in one line; words that need it are in quotes. */
function commandText({ spec, observed }: Container): string {
  const entrypoint = spec.entrypoint ?? observed.engine?.entrypoint ?? []
  const command = spec.command ?? observed.engine?.command ?? []
  const words = [...entrypoint, ...command].filter((word) => word !== '')
  const [first = '', ...rest] = words
  return [first, ...rest.map((word) => (/\s/.test(word) ? `'${word}'` : word))].join(' ')
}
