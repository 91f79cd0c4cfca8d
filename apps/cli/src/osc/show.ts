import type { DockerApi } from './docker-api.ts'

interface Binding {
  readonly HostIp?: string
  readonly HostPort?: string
}

interface Inspected {
  readonly Id: string
  readonly Name: string
  readonly Created: string
  readonly Image: string
  readonly Config: { readonly Image: string; readonly Cmd?: readonly string[] | null }
  readonly State: { readonly Status: string; readonly ExitCode: number; readonly Error?: string }
  readonly NetworkSettings: {
    readonly Ports?: Readonly<Record<string, readonly Binding[] | null>> | null
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string }>> | null
  }
}

export interface Listed {
  readonly Id: string
  readonly Names: readonly string[]
  readonly Image: string
  readonly State: string
  readonly Status: string
  readonly Ports: readonly { readonly IP?: string; readonly PublicPort?: number }[]
}

/** Rows `name: value`, so that `osc container-show ID | grep ports` finds `ports: [12.34.56.78:222]`. */
export async function showContainer(docker: DockerApi, ref: string): Promise<string[]> {
  const found = await docker.json<Inspected>({ path: `/containers/${encodeURIComponent(ref)}/json` })
  const { Ports, Networks } = found.NetworkSettings
  const bindings = Object.values(Ports ?? {}).flatMap((list) => list ?? [])
  const addresses = Object.entries(Networks ?? {}).map(([name, { IPAddress = '' }]) => `${name}=${IPAddress}`)
  const pairs = [
    ['id', found.Id],
    ['name', found.Name.replace(/^\//, '')],
    ['status', found.State.Status],
    ['exit_code', String(found.State.ExitCode)],
    ['image', found.Config.Image],
    ['image_id', found.Image],
    ['command', (found.Config.Cmd ?? []).join(' ')],
    ['created', found.Created],
    ['addresses', `[${addresses.join(', ')}]`],
    ['ports', `[${[...new Set(bindings.map(addressOf))].join(', ')}]`],
    ...(found.State.Error ? [['reason', found.State.Error]] : []),
  ]
  // Control characters in a value must not reach the terminal.
  return pairs.map(([name, value = '']) => `${name}: ${value.replace(/\p{Cc}+/gu, ' ')}`)
}

function addressOf({ HostIp = '', HostPort = '' }: Binding): string {
  return HostIp.includes(':') ? `[${HostIp}]:${HostPort}` : `${HostIp}:${HostPort}`
}

export async function listContainers(docker: DockerApi, all: boolean): Promise<Listed[]> {
  return docker.json<Listed[]>({ path: '/containers/json', query: { all: all ? 1 : undefined } })
}

export function portsOf({ Ports }: Listed): string {
  const published = Ports.filter(({ PublicPort }) => PublicPort !== undefined)
  return `[${published.map(({ IP = '', PublicPort }) => `${IP}:${PublicPort}`).join(', ')}]`
}
