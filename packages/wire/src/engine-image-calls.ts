import type { ContainerId } from '@gantry/model'
import Type, { type TSchema } from 'typebox'

const Empty = Type.Object({})
const Json = Type.Record(Type.String(), Type.Unknown())
const engineRef = Type.String({ minLength: 1 })

/** What a registry is told of who asks; null: nobody. */
const Auth = Type.Union([
  Type.Object({ domain: Type.String(), username: Type.String(), password: Type.String() }),
  Type.Null(),
])

/**
 * Images in the Engine API's words. References are the engine's own (`engineRef`); which project may use which is control's
 * to know. Progress flows as the engine sends it: JSON objects, one after another, errors among them.
 */
export const engineImageCalls = {
  /** The engine's inspect of one image. */
  imageInspect: { args: Type.Object({ engineRef }), reply: Type.Object({ found: Json }) },
  /** The engine's summaries of those that it has of these image ids (`sha256:…`), with all their references. */
  imageSummaries: {
    args: Type.Object({ imageIds: Type.Array(Type.String()) }),
    reply: Type.Object({ images: Type.Array(Json) }),
  },
  imageHistory: { args: Type.Object({ engineRef }), reply: Type.Object({ layers: Type.Array(Json) }) },
  imageTag: { args: Type.Object({ engineRef, as: engineRef }), reply: Empty },
  /**
   * Pulls `source` and keeps it as `engineRef` (the same, or a private name). Output: progress. What the registry cannot be
   * asked for and the host has already counts as pulled.
   */
  imagePullFlow: { args: Type.Object({ source: Type.String(), engineRef, auth: Auth }), reply: Empty },
  /** Pushes `engineRef` as `target`. Output: progress. */
  imagePushFlow: { args: Type.Object({ engineRef, target: Type.String(), auth: Auth }), reply: Empty },
  /** Output: a tar as `docker save` makes it, with the names of `as` in the place of the engine's. */
  imageSave: {
    args: Type.Object({
      images: Type.Array(Type.Object({ engineRef, as: Type.Array(Type.String()) }), { minItems: 1 }),
    }),
    reply: Empty,
  },
  /**
   * Input: a tar as `docker save` makes it. What is named `x` in it becomes `space/x`, whatever the tar tries. Output:
   * JSON lines: the engine's progress, at the end `{"loaded":[{"imageId","names":["x:tag"]}]}`.
   */
  imageLoad: { args: Type.Object({ space: Type.String({ minLength: 1 }) }), reply: Empty },
  /** Input: a tar of a file system. Becomes `engineRef`. */
  imageImport: {
    args: Type.Object({ engineRef, message: Type.String(), changes: Type.Array(Type.String()) }),
    reply: Type.Object({ imageId: Type.String(), size: Type.Integer() }),
  },
  /**
   * Input: a tar (plain, gzip or zstd), the context of a build. The host keeps it for `imageBuild`, at most ten minutes, and
   * says which images the build needs: the names in FROM and `--from` as written, their ARGs resolved, without `scratch` and
   * stages. A Dockerfile that cannot be read is `request.invalid`, as is a tar; `build.busy` passes.
   */
  imageBuildPlan: {
    args: Type.Object({
      /** Path in the context. */
      dockerfile: Type.String(),
      /** Name or number of the stage to build; empty: the last. */
      target: Type.String(),
      buildArgs: Type.Record(Type.String(), Type.String()),
    }),
    reply: Type.Object({ contextId: Type.String(), images: Type.Array(Type.String()) }),
  },
  /**
   * Builds the context of a plan of the same arguments, once, inside containers confined like the project's own, in the
   * network (and with the /etc/hosts, so extra hosts are the sandbox's) of container `sandbox`. The images needed must be on
   * the host already. Output: the classic builder's progress without "Successfully tagged", at the end
   * `{"built":{"imageId","size"}}` after everything else, or `{"errorDetail","error"}`; an output that breaks off with neither
   * was cancelled. Steps are kept for later builds of the same space as `<space>/gantry.build/steps:<key>`, the newest 200:
   * no such reference may be shown to a user or taken from one.
   */
  imageBuild: {
    args: Type.Object({
      contextId: Type.String(),
      /** A running container of the build's own: its network, and whose the steps' containers are. */
      sandbox: Type.Unsafe<ContainerId>(Type.String()),
      /** Prefix of the project's references in the engine; the result and what is kept for later builds lie below it. */
      space: Type.String({ minLength: 1 }),
      /** The result's reference. */
      engineRef,
      dockerfile: Type.String(),
      target: Type.String(),
      buildArgs: Type.Record(Type.String(), Type.String()),
      labels: Type.Record(Type.String(), Type.String()),
      noCache: Type.Boolean(),
      quiet: Type.Boolean(),
      /** Cores and MiB of each step. */
      cpu: Type.Number(),
      memory: Type.Integer(),
      /** Bytes; 0: the engine's default. */
      shmSize: Type.Integer(),
      /** What a name in FROM or --from means: the engine's reference; names that are left out are not to be had. */
      images: Type.Record(Type.String(), Type.String()),
    }),
    reply: Empty,
  },
  /** Whether a registry takes this login: what the engine says. */
  registryLogin: {
    args: Type.Object({ auth: Auth }),
    reply: Type.Object({ status: Type.String(), token: Type.String() }),
  },
  distribution: { args: Type.Object({ source: Type.String(), auth: Auth }), reply: Type.Object({ found: Json }) },
} as const satisfies Record<string, { args: TSchema; reply: TSchema }>
