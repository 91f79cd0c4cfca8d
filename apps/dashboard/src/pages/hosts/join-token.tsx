import { Button, Group, Stack, Text } from '@mantine/core'
import { Dialog } from '../../parts/dialog.tsx'
import { useMutation } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { Failure } from '../../parts/failure.tsx'
import { Snippet } from '../../parts/snippet.tsx'

interface JoinTokenView {
  readonly token: string
  readonly expiresAt: string
}

/** How another machine joins. The token is made on demand: it lets one machine in. */
export function JoinToken({ onClose }: { readonly onClose: () => void }) {
  const making = useMutation({
    mutationFn: () => call<JoinTokenView>('/v1/hosts/join-tokens', { method: 'POST' }),
  })
  return (
    <Dialog title="Add a host" size="lg" onClose={onClose}>
      <Stack>
        <Text size="sm">
          The machine needs Linux, Docker or Podman, and Gantry. Its agent joins with a token that is good for one
          machine and ten minutes; afterwards it has a certificate of its own.
        </Text>
        {making.data ? (
          <Joining token={making.data} />
        ) : (
          <Group>
            <Button loading={making.isPending} onClick={() => making.mutate()}>
              Make a token
            </Button>
          </Group>
        )}
        {making.error && <Failure error={making.error} what="The token could not be made" />}
      </Stack>
    </Dialog>
  )
}

function Joining({ token: { token, expiresAt } }: { readonly token: JoinTokenView }) {
  return (
    <>
      <Text size="sm">Save the token there in a file that only root can read:</Text>
      <Snippet label="The token" text={token} />
      <Text size="sm">and begin the agent:</Text>
      <Snippet
        label="The command"
        text={`gantry agent --join ${window.location.hostname} --token-file token --name NAME`}
      />
      <Text size="sm" c="dimmed">
        Until {new Date(expiresAt).toLocaleTimeString()}. The host appears in the list as soon as it has joined.
      </Text>
    </>
  )
}
