import { Command } from 'commander'
import { attachCommand } from './commands/attach.ts'
import { dockerCommands } from './commands/docker.ts'
import { eventsCommand } from './commands/events.ts'
import { execCommand } from './commands/exec.ts'
import { hostsCommand } from './commands/hosts.ts'
import { instancesCommand } from './commands/instances.ts'
import { serversCommand } from './commands/servers.ts'
import { loginCommands } from './commands/login.ts'
import { logsCommand } from './commands/logs.ts'
import { powerCommands } from './commands/power.ts'
import { psCommand } from './commands/ps.ts'
import { quotaCommand } from './commands/quota.ts'
import { registryCommand } from './commands/registry.ts'
import { runCommand } from './commands/run.ts'
import { showCommand } from './commands/show.ts'

/** Verbs that concern this machine instead of a server; their rooms are loaded only when one of them, or help, is asked. */
const localVerbs: ReadonlySet<string> = new Set(['up', 'down', 'status', 'doctor'])

/** Nouns whose rooms, too, are loaded only when they are asked for: a command line has to start in milliseconds. */
const cloudNouns: ReadonlySet<string> = new Set([
  'network',
  'subnet',
  'port',
  'secgroup',
  'security-group',
  'router',
  'floating-ip',
  'fip',
  'volume',
  'capsule',
])

const imageNouns: ReadonlySet<string> = new Set(['image', 'images'])

/** The whole command line. `words`: what was typed after `gantry`. */
export async function createProgram(words: readonly string[]): Promise<Command> {
  const program = new Command('gantry')
    .description('Containers for OpenStack.')
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(gantry --help lists the verbs; gantry VERB --help shows examples)')
    .option('--json', 'print JSON, for programs (lists and shows)')
    .option('--api <url>', 'address of Gantry (default: where OS_AUTH_URL is)')
  const bare = words.every((word) => word.startsWith('-') || word === 'help')
  if (bare || words.some((word) => localVerbs.has(word))) {
    const { localCommands } = await import('./local/index.ts')
    program.commandsGroup('This machine:')
    localCommands(program)
  }
  if (bare) {
    const { programVerbs } = await import('./local/program-verbs.ts')
    program.commandsGroup('Programs that run all the time:')
    programVerbs(program)
  }
  program.commandsGroup('Containers:')
  runCommand(program)
  psCommand(program)
  showCommand(program)
  logsCommand(program)
  execCommand(program)
  attachCommand(program)
  powerCommands(program)
  eventsCommand(program)
  program.commandsGroup('Docker:')
  dockerCommands(program)
  if (bare || words.some((word) => cloudNouns.has(word))) {
    const { cloudNounCommands } = await import('./commands/cloud-nouns.ts')
    program.commandsGroup('Networks, volumes, capsules:')
    cloudNounCommands(program)
  }
  if (bare || words.some((word) => imageNouns.has(word))) {
    const { imageCommand } = await import('./commands/image.ts')
    program.commandsGroup('Images:')
    imageCommand(program)
  }
  program.commandsGroup('Cloud:')
  if (bare || words.includes('openstack')) {
    const { openstackCommand } = await import('./commands/openstack.ts')
    openstackCommand(program)
  }
  if (bare || words.includes('webhook')) {
    const { webhookCommand } = await import('./commands/webhook.ts')
    webhookCommand(program)
  }
  if (bare || words.includes('audit')) {
    const { auditCommand } = await import('./commands/audit.ts')
    auditCommand(program)
  }
  registryCommand(program)
  hostsCommand(program)
  instancesCommand(program)
  serversCommand(program)
  quotaCommand(program)
  loginCommands(program)
  return program.addHelpText('after', manual)
}

const manual = `
Credentials, the first that there is:
  1. OS_AUTH_URL with OS_TOKEN, OS_USERNAME and OS_PASSWORD, or OS_APPLICATION_CREDENTIAL_*
  2. what \`gantry login\` kept
  3. $GANTRY_HOME/openrc (~/.gantry/openrc), as \`gantry up\` writes it

Exit codes:
  0    done
  1    refused or failed; stderr says why
  2    the command line is wrong
  3    not logged in, or the log-in was refused
  125  run and exec: the command could not be started; else they end with its own exit code

Examples:
  $ gantry up                            # a whole cloud on this machine
  $ gantry run busybox echo hello        # a container, its output, its exit code
  $ gantry run -d --name web nginx       # one that stays
  $ gantry exec -it web sh               # a shell in it
  $ gantry floating-ip create --container web   # an address for it that the outside reaches`
