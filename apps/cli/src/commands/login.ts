import type { Command } from 'commander'
import type { Env } from '../client/credentials.ts'
import { exitCodes, Failure, usage } from '../failure.ts'
import { finish } from './common.ts'

interface LoginOptions {
  readonly username?: string
  readonly passwordStdin?: boolean
  readonly project?: string
  readonly userDomain?: string
  readonly projectDomain?: string
  readonly cacert?: string
  readonly api?: string
}

export function loginCommands(program: Command): void {
  const login = program
    .command('login')
    .description('log in and stay logged in until the token ends; keeps no password')
    .argument('[auth-url]', 'address of Keystone (default: OS_AUTH_URL)')
    .option('-u, --username <name>', 'default: OS_USERNAME')
    .option('-p, --project <name>', 'default: OS_PROJECT_NAME')
    .option('--user-domain <name>', 'default: OS_USER_DOMAIN_NAME or Default')
    .option('--project-domain <name>', 'default: OS_PROJECT_DOMAIN_NAME or Default')
    .option('--password-stdin', 'read the password from stdin')
    .option('--cacert <file>', "authority of the server's certificate (default: OS_CACERT)")
    .action(logIn)
  finish(login, { json: false }, [
    { line: 'gantry login https://cloud.example/identity -u ada -p research', about: 'asks for the password' },
    { line: 'gantry login --password-stdin < secret', about: 'the rest from OS_*' },
  ])
  const logout = program.command('logout').description('end the log-in and revoke its token').action(logOut)
  finish(logout, { json: false }, [{ line: 'gantry logout', about: 'the token is worth nothing afterwards' }])
}

async function logIn(url: string | undefined, options: LoginOptions): Promise<void> {
  const { authUrlOf, identityOf, originOf, readCa } = await import('../client/credentials.ts')
  const { fetchToken } = await import('../client/keystone.ts')
  const { writeLogin } = await import('../client/login-file.ts')
  const where = url ?? process.env['OS_AUTH_URL']
  if (where === undefined) throw usage('Name the address of Keystone: gantry login URL.')
  originOf(where)
  const authUrl = authUrlOf(where)
  const env = { ...process.env, ...given(options) }
  const identity = identityOf(await completed(env, options), 'The command line')
  const caFile = options.cacert ?? process.env['OS_CACERT']
  const ca = caFile ? await readCa(caFile) : undefined
  const { token, expiresAt, user, project, containerUrl } = await fetchToken(authUrl, identity, ca)
  const endpoint = originOf(options.api ?? containerUrl ?? authUrl)
  const { resolve } = await import('node:path')
  const kept = { endpoint, authUrl, token, expiresAt, user, project, ...(caFile ? { caFile: resolve(caFile) } : {}) }
  const path = await writeLogin(process.env, kept)
  process.stdout.write(`Logged in as ${user} in project ${project} until ${expiresAt} (${path}).\n`)
}

/** Options stand above variables; a name on the command line takes the place of an id in the environment. */
function given({ username, project, userDomain, projectDomain }: LoginOptions): Record<string, string | undefined> {
  return {
    ...(username === undefined ? {} : { OS_USERNAME: username, OS_USER_ID: undefined }),
    ...(project === undefined ? {} : { OS_PROJECT_NAME: project, OS_PROJECT_ID: undefined }),
    ...(userDomain === undefined ? {} : { OS_USER_DOMAIN_NAME: userDomain, OS_USER_DOMAIN_ID: undefined }),
    ...(projectDomain === undefined ? {} : { OS_PROJECT_DOMAIN_NAME: projectDomain, OS_PROJECT_DOMAIN_ID: undefined }),
  }
}

/** Asks for what is missing if somebody is there to answer. */
async function completed(env: Env, { passwordStdin = false }: LoginOptions): Promise<Env> {
  const { ask, askHidden, readAll } = await import('../output/ask.ts')
  if (passwordStdin) return { ...env, OS_PASSWORD: (await readAll()).replace(/\r?\n$/, '') }
  if (env['OS_APPLICATION_CREDENTIAL_SECRET'] || env['OS_PASSWORD'] || !process.stdin.isTTY) return env
  const user = env['OS_USERNAME'] ?? env['OS_USER_ID'] ?? (await ask('User: '))
  const project = env['OS_PROJECT_NAME'] ?? env['OS_PROJECT_ID'] ?? (await ask('Project: '))
  const names = {
    ...(env['OS_USER_ID'] ? {} : { OS_USERNAME: user }),
    ...(env['OS_PROJECT_ID'] ? {} : { OS_PROJECT_NAME: project }),
  }
  return { ...env, ...names, OS_PASSWORD: await askHidden('Password: ') }
}

async function logOut(): Promise<void> {
  const { readCa } = await import('../client/credentials.ts')
  const { revokeToken } = await import('../client/keystone.ts')
  const { readLogin, removeLogin } = await import('../client/login-file.ts')
  const login = await readLogin(process.env)
  if (!login) throw new Failure('You are not logged in.', { exitCode: exitCodes.notLoggedIn })
  await removeLogin(process.env)
  const ca = login.caFile === undefined ? undefined : await readCa(login.caFile)
  await revokeToken(login.authUrl, login.token, ca).catch((cause: unknown) => {
    const remedy = `It ends by itself at ${login.expiresAt}.`
    throw new Failure('You are logged out here, but the token could not be revoked.', { remedy, cause })
  })
  process.stdout.write('Logged out.\n')
}
