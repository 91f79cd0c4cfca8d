import { hostname } from 'node:os'
import { parseArgs } from 'node:util'
import { UsageError } from './options.ts'
import { pluginPlaces, secondsOf } from './plugin-options.ts'

/** What `gantry kuryr` is told; the same for the plugin within an agent. */
export interface KuryrSettings {
  /** File with the cloud and the user in whose project everything is; null: the environment says it. */
  readonly cloudFile: string | null
  /** File with the user who binds ports; null: the same one. */
  readonly bindingFile: string | null
  readonly name: string
  readonly socket: string
  readonly engineSockets: readonly string[]
  /** Path of the network namespace that the engines run in; null: the plugin's own. */
  readonly engineNetns: string | null
  readonly neutronHost: string
  readonly project: string | null
  readonly poolPrefix: string
  readonly dhcp: boolean
  readonly scope: 'local' | 'global'
  /** Milliseconds. */
  readonly portWaitMs: number
  readonly portWaitFatal: boolean
  readonly nested: { readonly kind: 'vlan' | 'macvlan'; readonly link: string } | null
  /** Milliseconds. */
  readonly graceMs: number
  readonly logLevel: string
}

export const kuryrUsage = `Usage: gantry kuryr [options]

Serves Docker's networks and addresses with Neutron: docker network create --driver=kuryr --ipam-driver=kuryr …

  --cloud FILE            openstack.yaml, or one entry of a clouds.yaml; without it OS_AUTH_URL and so on are read
  --binding-cloud FILE    the same of a user who may bind ports, if the first one may not
  --project ID            the project that everything is made in     (the user's own)
  --name NAME             the driver's name for Docker               (kuryr)
  --socket PATH           where Docker finds it                      (/run/docker/plugins/NAME.sock)
  --docker-socket PATH    an engine that uses it, asked what is still in use; may be repeated (/var/run/docker.sock)
  --no-sweep              remove nothing by itself
  --sweep-after SECONDS   what no engine knows for so long is removed (60)
  --engine-netns PATH     the engines' network namespace             (the plugin's own)
  --neutron-host NAME     this host as its Neutron agent is called   (this machine's host name)
  --pool-prefix TEXT      names of subnet pools begin with it        (kuryrPool)
  --no-dhcp               new subnets are not served by DHCP
  --scope local|global    Docker's capability scope                  (local)
  --port-wait SECONDS     hold a container's start until its traffic may pass, at most so long (0)
  --port-wait-fatal       fail the start after that
  --nested vlan|macvlan   this machine is a VM: by its trunk, or beside its own port
  --link-interface NAME   the VM's own interface                     (eth0)`

/** Reads the command line and the environment. Throws `UsageError` with a sentence. Pure. */
export function readKuryrOptions(args: readonly string[], env: NodeJS.ProcessEnv): KuryrSettings {
  const values = parse(args)
  return {
    cloudFile: values.cloud ?? null,
    bindingFile: values['binding-cloud'] ?? null,
    ...pluginPlaces(values),
    engineNetns: values['engine-netns'] ?? null,
    neutronHost: values['neutron-host'] ?? hostname(),
    project: values.project ?? null,
    poolPrefix: values['pool-prefix'],
    dhcp: values['no-dhcp'] !== true,
    scope: oneOf(values.scope, ['local', 'global'], '--scope'),
    portWaitMs: secondsOf(values['port-wait'], '--port-wait'),
    portWaitFatal: values['port-wait-fatal'] ?? false,
    nested:
      values.nested === undefined
        ? null
        : { kind: oneOf(values.nested, ['vlan', 'macvlan'], '--nested'), link: values['link-interface'] },
    graceMs: secondsOf(values['sweep-after'], '--sweep-after'),
    logLevel: env['GANTRY_LOG_LEVEL'] ?? 'info',
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        cloud: { type: 'string' },
        'binding-cloud': { type: 'string' },
        project: { type: 'string' },
        name: { type: 'string', default: 'kuryr' },
        socket: { type: 'string' },
        'docker-socket': { type: 'string', multiple: true },
        'engine-netns': { type: 'string' },
        'no-sweep': { type: 'boolean' },
        'sweep-after': { type: 'string', default: '60' },
        'neutron-host': { type: 'string' },
        'pool-prefix': { type: 'string', default: 'kuryrPool' },
        'no-dhcp': { type: 'boolean' },
        scope: { type: 'string', default: 'local' },
        'port-wait': { type: 'string', default: '0' },
        'port-wait-fatal': { type: 'boolean' },
        nested: { type: 'string' },
        'link-interface': { type: 'string', default: 'eth0' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function oneOf<T extends string>(text: string, words: readonly T[], option: string): T {
  const word = words.find((each) => each === text)
  if (word === undefined) throw new UsageError(`${option} is ${words.join(' or ')}, not "${text}".`)
  return word
}
