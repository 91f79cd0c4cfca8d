import {
  type CinderDefaults,
  type FuxiOptions,
  type FuxiPlugin,
  fuxiPlugin,
  type ManilaDefaults,
} from '@gantry/host/fuxi'
import { systemClock } from '@gantry/kernel'
import type { Logger } from 'pino'
import type { FuxiSettings } from './fuxi-options.ts'
import { cloudNamed, openNamed } from './named-cloud.ts'

/** Starts Docker's volume plugin; resolves when Docker can call it. */
export async function startFuxi(settings: FuxiSettings, env: NodeJS.ProcessEnv, log: Logger): Promise<FuxiPlugin> {
  const own = await cloudNamed(settings.cloudFile, env, (sentence) => log.warn({}, sentence))
  const cloud = await openNamed(own)
  const close = () => cloud[Symbol.asyncDispose]()
  try {
    const plugin = await fuxiPlugin({ ...pluginOptions(settings), session: cloud.session(own.credential), log })
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

function pluginOptions(settings: FuxiSettings): Omit<FuxiOptions, 'session' | 'log'> {
  const { socket, providers, host, address, stateDir, volumeDir, volumeFrom, lingerMs, engineSockets, graceMs } =
    settings
  return {
    socket,
    providers,
    host,
    stateDir,
    volumeDir,
    from: volumeFrom,
    lingerMs,
    engineSockets,
    graceMs,
    cinder: cinderDefaults(settings),
    manila: manilaDefaults(settings),
    clock: systemClock,
    ...(address !== null && { address }),
  }
}

function cinderDefaults(settings: FuxiSettings): CinderDefaults {
  const { fsType, size, volumeType, multiattachType, availabilityZone } = settings
  return {
    fsType,
    size,
    ...(volumeType !== null && { volumeType }),
    ...(multiattachType !== null && { multiattachType }),
    ...(availabilityZone !== null && { availabilityZone }),
  }
}

function manilaDefaults(settings: FuxiSettings): ManilaDefaults {
  const { shareProtocol: protocol, size, shareType, shareNetwork, availabilityZone } = settings
  return {
    protocol,
    size,
    ...(shareType !== null && { shareType }),
    ...(shareNetwork !== null && { shareNetwork }),
    ...(availabilityZone !== null && { availabilityZone }),
  }
}
