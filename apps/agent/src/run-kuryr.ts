import { networkInterfaces } from 'node:os'
import { readFile } from 'node:fs/promises'
import { type KuryrPlugin, kuryrPlugin, type NestedOptions } from '@gantry/host/kuryr'
import { systemClock } from '@gantry/kernel'
import type { Logger } from 'pino'
import type { KuryrSettings } from './kuryr-options.ts'
import { cloudNamed, openNamed } from './named-cloud.ts'
import { UsageError } from './options.ts'

/** Starts Docker's network plugin; resolves when Docker can call it. */
export async function startKuryr(settings: KuryrSettings, env: NodeJS.ProcessEnv, log: Logger): Promise<KuryrPlugin> {
  const warn = (sentence: string) => log.warn({}, sentence)
  const { cloudFile, bindingFile } = settings
  const own = await cloudNamed(cloudFile, env, warn)
  const other = bindingFile === null ? own : await cloudNamed(bindingFile, env, warn)
  const nested = settings.nested && { ...settings.nested, mac: await macOf(settings.nested.link) }
  const cloud = await openNamed(own)
  const second = other === own ? cloud : await openNamed(other)
  const close = async () => {
    await Promise.all(new Set([cloud, second]).values().map((each) => each[Symbol.asyncDispose]()))
  }
  try {
    const session = cloud.session(own.credential)
    const plugin = await kuryrPlugin({
      ...pluginOptions(settings, nested),
      session,
      binding: other === own ? session : second.session(other.credential),
      log,
    })
    return {
      close: async () => {
        await plugin.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

function pluginOptions(settings: KuryrSettings, nested: NestedOptions | null) {
  const { socket, neutronHost, project, poolPrefix, dhcp, scope, engineSockets, graceMs } = settings
  return {
    socket,
    host: neutronHost,
    poolPrefix,
    dhcp,
    scope,
    engineSockets,
    graceMs,
    wait: { ms: settings.portWaitMs, fatal: settings.portWaitFatal },
    clock: systemClock,
    ...(project !== null && { project }),
    ...(settings.engineNetns !== null && { engineSpace: settings.engineNetns }),
    ...(nested && { nested }),
  }
}

async function macOf(link: string): Promise<string> {
  if (networkInterfaces()[link] === undefined && !/^[A-Za-z0-9_.-]{1,15}$/.test(link))
    throw new UsageError(`"${link}" is not the name of an interface.`)
  const path = `/sys/class/net/${link}/address`
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`This machine has no interface ${link}; say which with --link-interface NAME.`)
  })
  return text.trim()
}
