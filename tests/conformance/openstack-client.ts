import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runClient } from '../fixtures/client-forks.ts'
import { staticKeystone } from './static-keystone.ts'

export interface OpenstackClient extends AsyncDisposable {
  /** `openstack appcontainer` with these words; what it printed, on both outputs. */
  appcontainer(line: string, user?: 'demo' | 'other' | 'admin'): Promise<string>
}

/** The unmodified client, logged in at a Keystone of fixed answers, against the façade at `origin`. */
export async function openstackClient(origin: string): Promise<OpenstackClient> {
  const keystone = await staticKeystone(`${origin}/container/v1`)
  const folder = await mkdtemp(join(tmpdir(), 'zun-client-'))
  return {
    async appcontainer(line, user = 'demo') {
      const env = {
        PATH: process.env['PATH'],
        HOME: folder,
        OS_AUTH_URL: keystone.url,
        OS_IDENTITY_API_VERSION: '3',
        OS_USERNAME: user,
        OS_PASSWORD: 'any',
        OS_PROJECT_NAME: user,
        OS_USER_DOMAIN_NAME: 'Default',
        OS_PROJECT_DOMAIN_NAME: 'Default',
      }
      const words = ['appcontainer', ...line.split(' ')]
      // Most failures are told on the standard output, with exit code 0.
      const { stdout, stderr } = await runClient('openstack', words, { env, cwd: folder })
      return `${stdout}${stderr}`
    },
    async [Symbol.asyncDispose]() {
      await keystone[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}
