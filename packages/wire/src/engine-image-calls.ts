import { type ContainerId, ImageSource } from '@gantry/model'
import Type, { type TSchema } from 'typebox'

const Empty = Type.Object({})
const engineRef = Type.String({ minLength: 1 })

/** An image that the engine has. */
const HeldImage = Type.Object({
  /** `sha256:…` of its configuration. */
  imageId: Type.String(),
  /** Bytes of its files, as engines count. */
  size: Type.Integer(),
  /** The lowest first: how the image's layers are called unpacked, and the bytes of their files. */
  layers: Type.Array(Type.Object({ diffId: Type.String(), size: Type.Integer() })),
})

/**
 * Images between a host and the catalogue, over the registry endpoint of its own agent. What is in the engine is a copy: of the
 * references that the agent makes there, nobody else knows the names.
 */
export const engineImageCalls = {
  /**
   * The engine has the image afterwards. `imageId`: it need not be fetched if the engine has that. `engineRef`: a name under which it
   * is kept as well. Several calls for the same wait for one fetch. Throws `registry.refused`, `registry.unreachable`.
   */
  imageFetch: {
    args: Type.Object({
      source: ImageSource,
      imageId: Type.Union([Type.String(), Type.Null()]),
      engineRef: Type.Union([Type.String(), Type.Null()]),
    }),
    reply: HeldImage,
  },
  /** Gives an image of the engine's (by name or id) to the catalogue. `target.reference`: any tag. The engine keeps it. */
  imageGive: {
    args: Type.Object({ engineRef, target: ImageSource }),
    reply: Type.Object({ ...HeldImage.properties, digest: Type.String() }),
  },
  /** What the engine has under this name or id; `image.not-found` if nothing. */
  imageLook: { args: Type.Object({ engineRef }), reply: HeldImage },
  /** Takes copies away that no container of the engine needs; the others go when they can. */
  imageForget: { args: Type.Object({ imageIds: Type.Array(Type.String()) }), reply: Empty },
  /** Of which images the agent keeps copies. */
  imageCopies: { args: Empty, reply: Type.Object({ imageIds: Type.Array(Type.String()) }) },
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
      /** What a name in FROM or --from means: the image's id; names that are left out are not to be had. */
      images: Type.Record(Type.String(), Type.String()),
    }),
    reply: Empty,
  },
} as const satisfies Record<string, { args: TSchema; reply: TSchema }>
