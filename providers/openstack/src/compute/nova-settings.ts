import { readFile } from 'node:fs/promises'
import { Fault, reasonOf } from '@gantry/kernel'
import Type, { type Static } from 'typebox'
import { Check, Errors } from 'typebox/value'
import { parse } from 'yaml'
import { type CloudSettings, cloudSettings } from '../settings.ts'

const Text = Type.String({ minLength: 1 })

/** How servers of Nova's are made that become hosts: the key `servers` of the file. */
export const NovaServers = Type.Object(
  {
    /** Names or ids. */
    flavor: Text,
    /** Its id. It has cloud-init, or reads user data as that does. */
    image: Text,
    /** Ids; `auto`: the project's own. */
    networks: Type.Union([Type.Array(Text, { minItems: 1 }), Type.Literal('auto')]),
    /** `HOST:PORT` where agents in those networks reach the servers. */
    join: Type.Array(Text, { minItems: 1 }),
    key_name: Type.Optional(Text),
    security_groups: Type.Optional(Type.Array(Text)),
    availability_zone: Type.Optional(Text),
    /** Lines for a shell that make an engine and the agent's program be there; none if the image has them. */
    setup: Type.Optional(Type.Array(Text)),
    /** How the agent is started; `/usr/local/bin/gantry agent` unless told. */
    agent: Type.Optional(Text),
    /** Further options of it. */
    agent_options: Type.Optional(Type.Array(Text)),
  },
  { additionalProperties: false },
)
export type NovaServers = Static<typeof NovaServers>

export interface NovaSettings {
  /** Whose servers they are: the project of this user, best one that has no other servers. */
  readonly cloud: CloudSettings
  readonly servers: NovaServers
}

/** Reads `compute.yaml`: the keys of one cloud of a `clouds.yaml`, and `servers`. Throws `machine.unfit` with a sentence. */
export async function readNovaSettings(file: string): Promise<NovaSettings> {
  const document = await documentOf(file)
  if (typeof document !== 'object' || document === null) throw unfit(file, 'is empty')
  const { servers, ...cloud } = document as Record<string, unknown>
  if (!Check(NovaServers, servers)) {
    const [problem] = Errors(NovaServers, servers)
    throw unfit(file, `has no good "servers": ${problem?.instancePath ?? ''} ${problem?.message ?? 'it is missing'}`)
  }
  return { cloud: cloudSettings(cloud, file), servers }
}

async function documentOf(file: string): Promise<unknown> {
  try {
    return parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw unfit(file, `cannot be read: ${reasonOf(error).split('\n', 1)[0] ?? ''}`)
  }
}

function unfit(file: string, problem: string): Fault {
  const remedy = 'See docs/operate/hosts-on-demand.md.'
  return new Fault('machine.unfit', { problem: `The file ${file} ${problem}.`, remedy })
}
