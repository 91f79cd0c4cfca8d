import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { containerPath } from '../../../api/containers.ts'
import { upload } from '../../../api/upload.ts'
import { packed } from './archive.ts'
import type { Picked } from './dropped.ts'

interface Sending {
  readonly folder: string
  readonly files: readonly Picked[]
}

/** Packs files and has the container unpack them; the list of the folder is then read again. */
export function useUpload(id: string) {
  const client = useQueryClient()
  const [progress, setProgress] = useState<number | null>(null)
  const stop = useRef<AbortController>(null)
  const sending = useMutation({
    mutationFn: async ({ folder, files }: Sending) => {
      stop.current = new AbortController()
      setProgress(0)
      const body = await packed(files)
      await upload(`${containerPath(id)}/archive`, {
        query: { path: folder },
        body,
        signal: stop.current.signal,
        onProgress: setProgress,
      })
    },
    onSettled: async () => {
      setProgress(null)
      await client.invalidateQueries({ queryKey: ['files', id] })
    },
  })
  const isCancelled = sending.error instanceof DOMException && sending.error.name === 'AbortError'
  return {
    send: (files: readonly Picked[], folder: string) => sending.mutate({ files, folder }),
    cancel: () => stop.current?.abort(),
    /** From 0 to 1 while it is being sent. */
    progress: sending.isPending ? (progress ?? 0) : null,
    error: isCancelled ? null : sending.error,
    sentTo: sending.variables?.folder,
    sent: sending.isSuccess ? sending.variables.files.filter(({ file }) => file !== null).length : 0,
  }
}
