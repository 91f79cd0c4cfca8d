import { script } from '../fixtures/docker-script.ts'

/** What users of the docker command line do, in groups that run one after another on the same two clouds. */
export const dockerCliLines: Readonly<Record<string, readonly string[]>> = {
  'runs containers in the foreground': script`
    docker version -f '{{.Client.Version}} {{.Server.Os}} {{.Server.Arch}}'
    docker info -f '{{.OSType}} {{.Architecture}} {{.Containers}} {{.Swarm.LocalNodeState}} {{.DefaultRuntime}} {{.LoggingDriver}}'
    docker run --rm busybox echo hello
    docker run --rm busybox sh -c 'echo out; echo err >&2; exit 7'
    echo from stdin | docker run --rm -i busybox cat
    head -c 3000000 /dev/zero | docker run --rm -i busybox wc -c
    docker run --rm busybox head -c 3000000 /dev/zero | wc -c
    script -qec "docker run --rm -t busybox sh -c 'test -t 1 && echo terminal; echo \$TERM'" /dev/null </dev/null
    script -qec "stty rows 33 cols 77; docker run --rm -it busybox sh -c 'sleep 1; stty size'" /dev/null </dev/null
    docker run --rm -t busybox sh -c 'echo out; echo err >&2'
    docker run --rm -a stderr busybox sh -c 'echo out; echo err >&2'
    docker run --rm -e A=1 -e "B=two words" busybox sh -c 'echo $A $B $HOME $PATH'
    docker run --rm -w /var/made/here busybox pwd
    docker run --rm -u nobody busybox id
    docker run --rm -u 1234:4321 busybox id
    docker run --rm -u nosuchuser busybox id
    docker run --rm --group-add 99 busybox id -G
    docker run --rm --hostname web1 busybox sh -c 'hostname; grep -c web1 /etc/hosts'
    docker run --rm --entrypoint echo busybox said
    docker run --rm -v data1:/data busybox sh -c 'echo kept > /data/file; ls -l /data | wc -l'
    docker run --rm -v data1:/data:ro busybox sh -c 'cat /data/file; touch /data/other'
    docker run --rm --mount type=volume,src=data1,dst=/mnt busybox cat /mnt/file
    docker run --rm -v /nameless busybox sh -c 'touch /nameless/x && ls /nameless'
    docker run --rm --tmpfs /scratch:size=1m busybox sh -c 'df -k /scratch | tail -1 | tr -s " " | cut -d " " -f 1,2'
    docker run --rm --memory 64m busybox sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null'
    docker run --rm --cpus 0.5 busybox sh -c 'cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null'
    docker run --rm --read-only busybox touch /x
    docker run --rm --cap-drop ALL busybox grep CapEff /proc/self/status
    docker run --rm --cap-drop CHOWN busybox chown nobody /tmp
    docker run --rm --cap-add SYS_ADMIN busybox true
    docker run --rm --privileged busybox true
    docker run --rm --init busybox cat /proc/1/comm
    docker run --rm --ulimit nofile=100:200 busybox sh -c 'ulimit -n; ulimit -Hn'
    docker run --rm --shm-size 8m busybox sh -c 'df -k /dev/shm | tail -1 | tr -s " " | cut -d " " -f 2'
    docker run --rm --add-host other:10.9.9.9 busybox grep other /etc/hosts
    docker run --rm --sysctl net.ipv4.ip_unprivileged_port_start=80 busybox cat /proc/sys/net/ipv4/ip_unprivileged_port_start
    docker run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status
    docker run --rm --cidfile cid busybox true; wc -c < cid
    docker run --rm --network none busybox ip -o link
    docker run --rm -v /etc:/host busybox test -e /host/passwd
    docker run -d --rm --name soon busybox sleep 1; docker wait soon; sleep 1; docker ps -aq --filter name=soon | wc -l
  `,
  'refuses what is wrong in the words of an engine': script`
    docker run --rm busybox missing-command
    docker run --rm busybox /etc/passwd
    docker run --rm busybox /etc
    docker run --rm --pull never nosuchimage:1 true
    docker run --rm --memory 1k busybox true
    docker run --rm --memory nonsense busybox true
    docker run --rm --cpus 10000 busybox true
    docker run --rm --restart sometimes busybox true
    docker run --rm --restart always busybox true
    docker run --rm --network nosuch busybox true
    docker run --rm -w relative busybox true
    docker run --rm -v relative/path:/x busybox true
    docker run --rm -v data1:relative busybox true
    docker run --rm --tmpfs relative busybox true
    docker run --rm -p 99999:80 busybox true
    docker run --rm --ulimit nosuch=1 busybox true
    docker run --rm --stop-signal NOSUCH busybox true
    docker run --rm --cap-drop NOSUCH busybox true
    docker run --rm --name 'bad name' busybox true
    docker run --rm --name x busybox true
    docker run --rm --hostname 'bad name' busybox true
    docker run --rm --nosuchflag busybox true
    docker create --name taken busybox true
    docker create --name taken busybox true
    docker rm taken
    docker inspect nosuch
    docker start nosuch
    docker stop nosuch
    docker kill nosuch
    docker logs nosuch
    docker exec nosuch true
    docker rm nosuch
    docker rm -f nosuch
    docker cp nosuch:/x .
    docker wait nosuch
    docker top nosuch
    docker port nosuch
    docker rename nosuch other
    docker image inspect nosuch
    docker rmi nosuch
    docker tag nosuch other
    docker network inspect nosuch
    docker network rm nosuch
    docker volume inspect nosuch
    docker volume rm nosuch
    docker ps --filter nosuch=1
    docker ps --filter status=nosuch
    docker images --filter nosuch=1
    docker volume ls --filter nosuch=1
    docker network ls --filter nosuch=1
  `,
  'starts, stops and watches containers': script`
    date +%s > since
    docker run -d --name box --label tier=front --label team=a -e A=1 --restart on-failure:3 --stop-signal TERM --stop-timeout 3 busybox sh -c 'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.1; done'
    docker run -d --name other --label tier=back busybox sleep 1000
    docker create --name idle busybox echo idle
    docker ps
    docker ps -a
    docker ps -q --no-trunc | wc -l
    docker ps -a --format '{{.Names}} {{.Image}} {{.Command}} {{.State}} {{.Status}} {{.Ports}} {{.Label "tier"}} {{.Mounts}}'
    docker ps -a --format '{{.Names}} {{.Networks}}'
    docker ps --format json --filter name=box | tr , '\n' | grep -E 'Names|State|Image' | sort
    docker ps -a --filter name=o --format '{{.Names}}'
    docker ps -a --filter name=^/?box$ --format '{{.Names}}'
    docker ps -a --filter label=tier --format '{{.Names}}'
    docker ps -a --filter label=tier=front --filter label=team=a --format '{{.Names}}'
    docker ps -a --filter status=created --format '{{.Names}}'
    docker ps -a --filter status=running --filter status=created --format '{{.Names}}'
    docker ps -a --filter ancestor=busybox --format '{{.Names}}'
    docker ps -a --filter before=other --format '{{.Names}}'
    docker ps -a --filter since=box --format '{{.Names}}'
    docker ps -n 1 --format '{{.Names}}'
    docker ps -a --filter id=$(docker ps -aq --filter name=other) --format '{{.Names}}'
    docker ps -a --filter is-task=false --format '{{.Names}}'
    docker inspect -f '{{.Name}} {{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.RestartCount}} {{.Path}} {{.Driver}} {{.Platform}}' box
    docker inspect -f '{{json .Args}} {{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.Labels}} {{json .Config.Env}}' box
    docker inspect -f '{{.Config.Image}} {{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.StopSignal}} {{.Config.StopTimeout}} {{.Config.User}}|{{.Config.WorkingDir}}|' box
    docker inspect -f '{{json .HostConfig.RestartPolicy}} {{json .HostConfig.LogConfig}} {{.HostConfig.AutoRemove}} {{.HostConfig.Privileged}} {{json .HostConfig.Binds}} {{json .HostConfig.PortBindings}}' box
    docker inspect -f '{{.HostConfig.NetworkMode}} {{.HostConfig.IpcMode}} {{.HostConfig.ShmSize}} {{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}} {{.HostConfig.CpuShares}}' box
    docker inspect -f '{{json .HostConfig.SecurityOpt}} {{json .HostConfig.PidsLimit}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}' box
    docker inspect -f '{{len .Mounts}} {{json .NetworkSettings.Ports}} {{len .NetworkSettings.Networks}}' box
    docker inspect --size -f '{{if .SizeRootFs}}has a size{{end}}' box
    docker inspect -f '{{.Image}}' box | cut -c 1-7
    docker inspect --type image box
    docker inspect box busybox nosuch | grep -c '"Id"'
    docker logs box
    docker logs --tail 1 box
    docker logs --timestamps box | cut -c 1-2,20,31-
    docker logs --since 1h box
    docker logs --until 2001-01-01 box
    docker logs --details box
    timeout 1 docker logs -f box; echo $?
    docker exec box echo inside
    docker exec box sh -c 'echo out; echo err >&2; exit 9'
    echo piped | docker exec -i box cat
    docker exec -e X=y -w /tmp -u nobody box sh -c 'echo $X $(pwd) $(id -un)'
    docker exec -d box touch /tmp/detached; sleep 1; docker exec box ls /tmp/detached
    docker exec box missing-command
    docker exec box /etc/passwd
    docker exec -w /nosuch box true
    docker exec -u nosuchuser box true
    docker exec --privileged box true
    script -qec "docker exec -t box sh -c 'test -t 0 && echo terminal'" /dev/null </dev/null
    docker top box | head -1
    docker top box -o pid,comm | head -1
    docker top box | grep -c 'trap'
    docker stats --no-stream --format '{{.Name}} {{.PIDs}}' box other | sed 's/[0-9]*$//'
    docker stats --no-stream -a --format '{{.Name}}' | sort
    docker pause box
    docker ps --filter status=paused --format '{{.Names}} {{.Status}}'
    docker pause box
    docker exec box true
    docker unpause box
    docker unpause box
    docker update --memory 96m --memory-swap 96m box
    docker inspect -f '{{.HostConfig.Memory}}' box
    docker update --restart no box other
    docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' box other
    docker rename box renamed
    docker rename renamed other
    docker rename renamed box
    docker inspect -f '{{.Name}}' box
    docker start box
    docker rm box
    docker rm -v other
    docker stop box
    docker stop box
    docker ps -a --filter exited=3 --format '{{.Names}} {{.Status}}'
    docker logs box
    docker wait box
    docker exec box true
    docker kill box
    docker pause box
    docker top box
    docker start -a idle
    docker start idle; docker wait idle; docker logs idle
    docker restart -t 1 other
    docker kill -s KILL other
    docker inspect -f '{{.State.ExitCode}} {{.State.Status}} {{.State.OOMKilled}}' other
    docker start box other idle
    docker kill -s NOSUCH box
    docker stop -t 0 other
    docker stop -t 2 box
    docker rm box other idle
    docker events --since $(cat since) --until $(($(date +%s) + 1)) --filter container=idle --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.image}}'
    docker events --since $(cat since) --until $(($(date +%s) + 1)) --filter container=box --filter event=die --format '{{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}'
    docker events --since $(cat since) --until $(($(date +%s) + 1)) --filter label=tier=front --format '{{.Action}}' | grep -v exec_start | sort -u
    docker run -d --name sick --health-cmd 'test -e /tmp/well' --health-interval 200ms --health-retries 1 busybox sleep 1000; sleep 2; docker inspect -f '{{.State.Health.Status}}' sick
    docker ps --filter health=unhealthy --format '{{.Names}} {{.Status}}'
    docker exec sick touch /tmp/well; sleep 1; docker inspect -f '{{.State.Health.Status}}' sick
    docker rm -f sick
    docker run -d --name crash --restart on-failure:2 busybox sh -c 'exit 4'; sleep 3; docker inspect -f '{{.RestartCount}} {{.State.ExitCode}} {{.State.Status}}' crash
    docker rm crash
    docker create -i --name asks busybox sh -c 'read a; echo got $a; exit 5'; echo word | docker start -ai asks
    docker rm asks
    docker run -d --name att busybox sh -c 'sleep 1; echo late; exit 6'; docker attach --no-stdin att
    docker attach att
    docker rm att
    docker create --name nocmd busybox missing-command; docker start nocmd
    docker inspect -f '{{.State.ExitCode}} {{.State.Status}}' nocmd
    docker rm nocmd
  `,
}
