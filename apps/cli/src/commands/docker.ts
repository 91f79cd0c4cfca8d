import type { Command } from 'commander'
import type { DockerEnvOptions } from '../docker/docker-env.ts'
import { type CommonOptions, finish } from './common.ts'

/** The unmodified docker command line, on this cloud. */
export function dockerCommands(program: Command): void {
  const docker = program
    .command('docker')
    .description('run the docker command on this cloud, logged in as you')
    .usage('<docker command> [its options]')
    .argument('[words...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (words: string[]) => {
      const { runDocker } = await import('../docker/run-docker.ts')
      const { api } = docker.optsWithGlobals<CommonOptions>()
      process.exitCode = await runDocker(words, process.env, api)
    })
  const env = program
    .command('docker-env')
    .description('set up a shell or a docker context for plain docker, compose and libraries')
    .option('--write <dir>', 'keep configuration and keys there (default: a folder in ~/.config/gantry/docker)')
    .option('--app-credential', 'a long-lived application credential instead of a token of some hours')
    .option('--tls', 'a client certificate of a year instead of headers: for clients that lose headers')
    .option('--context <name>', 'make a docker context with a client certificate, for docker --context NAME')
    .option('--unset', 'print what makes the shell forget it again')
    .action(async (options: DockerEnvOptions) => {
      const { dockerEnv } = await import('../docker/docker-env.ts')
      const { api } = env.optsWithGlobals<CommonOptions>()
      const lines = await dockerEnv({ ...options, ...(api === undefined ? {} : { api }) }, process.env)
      process.stdout.write(`${lines.join('\n')}\n`)
    })
  finish(env, { json: false }, [
    { line: 'eval "$(gantry docker-env)"', about: 'docker, docker compose and docker-py of this shell use the cloud' },
    { line: 'eval "$(gantry docker-env --app-credential)"', about: 'the same, and it does not end with the token' },
    { line: 'gantry docker-env --context cloud', about: 'then: docker --context cloud ps, from any shell' },
    {
      line: 'eval "$(gantry docker-env --tls)"',
      about: 'DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, as all libraries know',
    },
    { line: 'eval "$(gantry docker-env --unset)"', about: 'back to the engine of this machine' },
  ])
  env.addHelpText(
    'after',
    `
What is written is readable by you only: it lets whoever has it be you in this project. \`docker logout\` does not end it:
a token ends by itself, an application credential with \`openstack application credential delete\`, a certificate with
DELETE /v1/docker/certificates/SERIAL of the native API. Doing it again changes nothing that still works.`,
  )
}
