import { pipeline } from 'node:stream/promises'
import { StringDecoder } from 'node:string_decoder'
import { BuildError, type ImageConfig } from '@gantry/dockerfile'
import { type Frame, FrameDecoder, frameKinds } from '@gantry/wire'
import { shortId } from './build-output.ts'
import type { BuildSite } from './build-site.ts'

export interface Command {
  readonly argv: readonly string[]
  /** `name=value` beside the image's own environment. */
  readonly env: readonly string[]
  readonly config: ImageConfig
}

/** Runs a command on an image, showing what it says. Answers the layers after it. Throws `BuildError` if it fails. */
export async function runCommand(
  site: BuildSite,
  image: string,
  command: Command,
): Promise<{ readonly layers: readonly string[]; readonly container: string }> {
  const { output } = site.options
  const { argv, config } = command
  const body = {
    Cmd: argv,
    // An empty word takes the image's own entrypoint away.
    Entrypoint: [''],
    Env: [...(config.Env ?? []), ...command.env],
    User: config.User ?? '',
    WorkingDir: config.WorkingDir ?? '',
    Healthcheck: { Test: ['NONE'] },
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: site.hostConfig(),
  }
  return site.withContainer(image, body, async (id) => {
    await output.text(` ---> Running in ${shortId(id)}\n`)
    const code = await exitCode(site, id)
    if (code !== 0) {
      throw new BuildError(`The command '${argv.join(' ')}' returned a non-zero code: ${code}`, code)
    }
    return { layers: await site.layersOf(id), container: shortId(id) }
  })
}

async function exitCode(site: BuildSite, id: string): Promise<number> {
  const { engine, signal, output } = site.options
  const query = { stdin: false, stdout: true, stderr: true, logs: false, stream: true }
  const socket = await engine.raw.attach(id, query, signal)
  const [out, err] = [new StringDecoder('utf8'), new StringDecoder('utf8')]
  const showing = pipeline(
    socket,
    new FrameDecoder(),
    async (frames: AsyncIterable<Frame>) => {
      for await (const { kind, payload } of frames) {
        if (kind === frameKinds.stderr) await output.errorText(err.write(payload))
        else await output.text(out.write(payload))
      }
    },
    { signal },
  )
  showing.catch(() => undefined)
  try {
    await engine.containers.start(id, signal)
    await showing
    return await engine.builds.exitCode(id, signal)
  } catch (error) {
    socket.destroy()
    throw error
  }
}
