import { script } from '../fixtures/docker-script.ts'

/** Files, images, networks and volumes by the docker command line. */
export const dockerCliMoreLines: Readonly<Record<string, readonly string[]>> = {
  'copies files and commits containers': script`
    docker run -d --name box busybox sh -c 'mkdir -p /srv/tree/deep; echo one > /srv/tree/one; echo two > /srv/tree/deep/two; ln -s one /srv/tree/link; chmod 640 /srv/tree/one; exec sleep 1000'
    sleep 1; docker diff box | sort
    docker cp box:/srv/tree/one . && cat one && stat -c %a one
    docker cp -q box:/srv/tree . && find tree | sort && readlink tree/link
    docker cp box:/srv/tree - | tar -tf - | sort
    docker cp -L box:/srv/tree/link followed && cat followed
    docker cp box:/nosuch .
    printf 'from here\n' > here; docker cp here box:/srv/there && docker exec box cat /srv/there
    mkdir -p sent/below; echo x > sent/below/x; docker cp sent box:/srv/ && docker exec box cat /srv/sent/below/x
    docker cp sent/. box:/srv/tree/ && docker exec box ls /srv/tree
    docker cp here box:/nosuch/folder/ 2>&1 | tail -1
    docker cp here box:/srv/tree/one/ 2>&1 | grep -v -e 'close tar writer' -e "Can't add file" | tail -1
    tar -cf - here | docker cp - box:/tmp && docker exec box cat /tmp/here
    docker exec box rm /srv/there; docker diff box | sort
    docker export box | tar -tf - | grep -E '^srv' | sort
    docker export -o box.tar box && tar -xOf box.tar srv/tree/one
    docker import --change 'CMD ["cat","/srv/tree/one"]' -m imported box.tar imported:1 | cut -c 1-7
    docker run --rm imported:1
    cat box.tar | docker import - imported:2 | cut -c 1-7
    docker commit -m 'a message' -a 'an author' -c 'ENV WORD=spoken' -c 'CMD ["sh","-c","echo $WORD; cat /srv/tree/one"]' box committed:1 | cut -c 1-7
    docker run --rm committed:1
    docker inspect -f '{{.Comment}} {{.Author}} {{json .Config.Env}} {{json .Config.Cmd}} {{.Os}} {{.Architecture}}' committed:1
    docker commit nosuch committed:2
    docker commit box 'Bad Name'
    docker rm -f box
    docker rmi committed:1 imported:1 imported:2 | grep -c Untagged
  `,
  'keeps images': script`
    docker pull 127.0.0.1:1/nosuch:1
    docker push 127.0.0.1:1/nosuch:1
    docker login -u a -p b 127.0.0.1:1
    docker search nosuch
    docker images --format '{{.Repository}}:{{.Tag}}' busybox
    docker tag busybox:latest mine:1
    docker tag mine:1 mine:2
    docker tag mine:1 'Bad Name'
    docker images --format '{{.Repository}}:{{.Tag}}' mine
    docker images -q mine | sort -u | wc -l
    docker images -q --no-trunc mine | cut -c 1-7 | sort -u
    docker images --filter reference='mi*:2' --format '{{.Tag}}'
    docker images --filter dangling=true -q | wc -l
    docker images nosuch
    docker image inspect -f '{{json .RepoTags}} {{.Os}} {{.Architecture}} {{json .Config.Cmd}} {{len .RootFS.Layers}}' mine:1
    docker history --format '{{.Size}} {{.Comment}}' mine:1 | sed 's/^[0-9.]*//'
    docker save -o mine.tar mine:1 mine:2 && tar -tf mine.tar | grep -E '^(manifest.json|repositories)$'
    docker save mine:1 | tar -xOf - manifest.json | grep -o 'mine:1'
    docker save nosuch
    docker rmi mine:1
    docker rmi mine:2
    docker load -i mine.tar
    docker load -q < mine.tar
    echo no tar | docker load
    docker run --rm mine:2 echo loaded
    docker create --name user mine:2
    docker rmi mine:2 mine:1
    docker ps -a --filter name=user --format '{{.Image}}'
    docker rm user
    docker rmi -f mine:1 mine:2
    mkdir -p context; printf 'FROM busybox\nARG who=nobody\nENV A=b\nLABEL made=here\nWORKDIR /app\nCOPY file .\nRUN echo $who > who; cat file\nUSER nobody\nEXPOSE 80\nENTRYPOINT ["cat"]\nCMD ["who"]\n' > context/Dockerfile; echo content > context/file
    docker build -q -t built:1 --build-arg who=me context | cut -c 1-7
    docker run --rm built:1
    docker run --rm built:1 file
    docker build -t built:2 context | grep -E '^(Step|content|Successfully tagged)'
    docker build -t built:3 --label x=y --target nosuch context
    docker build -t built:3 --no-cache --label x=y context | tail -1
    docker inspect -f '{{json .Config.Labels}} {{json .Config.ExposedPorts}} {{.Config.User}} {{.Config.WorkingDir}} {{json .Config.Entrypoint}}' built:3
    printf 'FROM busybox\nRUN exit 3\n' > context/Failing; docker build -f context/Failing context 2>&1 | tail -1
    printf 'FROM busybox\nNOSUCH x\n' > context/Wrong; docker build -f context/Wrong context
    docker build -f nosuch context 2>&1 | tail -1 | grep -o 'unable to evaluate.*path'
    printf 'FROM busybox\nCMD ["echo","stdin"]\n' | docker build -q -t built:4 - | cut -c 1-7
    docker run --rm built:4
    docker images --filter label=made=here --format '{{.Repository}}:{{.Tag}}' | sort
    docker rmi built:1 built:2 built:3 built:4 >/dev/null; docker images -q built | wc -l
    docker image prune -f | tail -1 | cut -d : -f 1
  `,
  'joins networks and publishes ports': script`
    docker network create net1 | wc -c
    docker network create net1
    docker network create --label of=test --subnet 10.77.0.0/24 --gateway 10.77.0.1 net2 | wc -c
    docker network create --subnet nonsense net3
    docker network create --subnet 10.77.0.0/24 --gateway 10.78.0.1 net3
    docker network create --internal inside | wc -c
    docker network create -d host other
    docker network create -d macvlan other
    docker network create 'bad name' >/dev/null && docker network rm 'bad name'
    docker network ls --format '{{.Name}} {{.Driver}} {{.Scope}}' | sort
    docker network ls --filter name=net --format '{{.Name}}' | sort
    docker network ls --filter label=of=test --format '{{.Name}}'
    docker network ls --filter driver=bridge --filter type=custom --format '{{.Name}}' | sort
    docker network ls -q --filter dangling=true | wc -l
    docker network inspect -f '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{.EnableIPv6}} {{.Attachable}} {{json .Labels}} {{len .Containers}}' net1 net2 inside
    docker network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}' net2 | grep -c '10.77.0.0/24 10.77.0.1'
    mkdir -p www; echo served > www/index.html
    docker create --name web --network net1 --network-alias www --expose 81 busybox httpd -f -h /www
    docker cp www web:/ ; docker start web
    docker run --rm --network net1 busybox wget -qO- http://web/
    docker run --rm --network net1 busybox wget -qO- http://www/
    docker run --rm --network net1 busybox wget -T 1 -qO- http://nosuch/
    docker run --rm --network net2 busybox wget -T 2 -qO- http://web/ 2>&1 | sed 's/wget: //'
    docker network connect --alias store net2 web
    docker run --rm --network net2 busybox wget -qO- http://store/
    docker network connect net2 web
    docker inspect -f '{{range $name, $net := .NetworkSettings.Networks}}{{$name}} {{end}}' web
    docker inspect -f '{{range .NetworkSettings.Networks.net1.Aliases}}{{.}} {{end}}' web | grep -o www
    docker ps --filter network=net2 --format '{{.Names}} {{.Networks}}' | tr ' ,' '\n\n' | sort
    docker network inspect -f '{{range .Containers}}{{.Name}} {{end}}' net2
    docker network rm net2
    docker network disconnect net2 web
    docker network disconnect net2 web
    docker network disconnect net2 nosuch
    docker network connect nosuch web
    docker run -d --name fixed --network net2 --ip 10.77.0.50 busybox sleep 1000
    docker inspect -f '{{.NetworkSettings.Networks.net2.IPAddress}}' fixed | grep -c '10.77.0.50'
    docker run --rm --network net2 --ip 10.77.0.50 busybox true
    docker run --rm --network net2 --ip 10.99.0.50 busybox true
    docker run --rm --network container:web busybox wget -qO- http://127.0.0.1/
    docker run --rm --network host busybox true
    docker run --rm --link web:linked --network net1 busybox wget -qO- http://linked/
    docker rm -f fixed
    docker run -d --name pub -p 80 -p 18080:80 busybox httpd -f -h /etc
    docker run -d --name shown -p 18082:80 -p 18053:53/udp busybox httpd -f -h /etc
    docker port shown | sort
    docker port shown 80/tcp
    docker port shown 99
    docker ps --filter name=shown --format '{{.Ports}}'
    docker ps --filter publish=18082 --format '{{.Names}}'
    docker inspect -f '{{json .HostConfig.PortBindings}}' shown
    docker inspect -f '{{range $port, $at := .NetworkSettings.Ports}}{{$port}} {{(index $at 0).HostPort}} {{end}}' shown
    nsenter --net=$NETNS busybox wget -qO- http://$(docker port shown 80/tcp | head -1)/group
    docker run --name again -p 18082:80 busybox true
    docker run --rm -p 127.0.0.1:18083:80 busybox true
    docker rm -f pub shown again
    docker rm -f web; docker network rm net1 net2 inside
    docker network create spare >/dev/null; docker network prune -f
    docker network rm bridge
    docker network rm host
  `,
  'keeps volumes and clears up': script`
    docker volume create vol1
    docker volume create vol1
    docker volume create --label of=test vol2
    docker volume create | wc -c
    docker volume create 'bad name'
    docker volume create -o type=none -o o=bind -o device=/etc vol3 && docker volume rm vol3
    docker volume ls --filter name=vol --format '{{.Name}} {{.Driver}} {{.Scope}}'
    docker volume ls --filter label=of=test -q
    docker volume ls -q --filter dangling=true | grep -c vol
    docker volume inspect -f '{{.Name}} {{.Driver}} {{.Scope}} {{len .Labels}} {{len .Options}}' vol1 vol2
    docker run -d --name user -v vol1:/data -v /nameless --mount type=volume,src=vol2,dst=/two,readonly busybox sleep 1000
    docker inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}} {{.Driver}}{{"\n"}}{{end}}' user | sort
    docker ps --filter volume=vol1 --format '{{.Names}}'
    docker volume ls -q --filter dangling=false | grep vol
    docker volume rm vol1
    docker run --rm --volumes-from user busybox ls -d /data /two /nameless
    docker run --rm -v vol1:/same busybox sh -c 'echo shared > /same/file'; docker exec user cat /data/file
    docker rm -fv user
    docker volume rm vol1 vol2
    printf 'FROM busybox\nVOLUME /vol\n' | docker build -q -t vols - >/dev/null 2>&1; docker run --name voled vols ls -d /vol
    docker inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}}{{end}}' voled
    docker rm -v voled; docker rmi vols | head -1
    docker run --name filled -v seeded:/etc busybox ls /etc
    docker rm -v filled; docker volume rm seeded
    docker container prune -f >/dev/null; docker system df --format '{{.Type}} {{.TotalCount}} {{.Active}}' | tail -n +2
    docker run --name gone busybox true
    docker run -d --name stays busybox sleep 1000
    docker container prune -f | head -1
    docker ps -a --format '{{.Names}}'
    docker container prune -f --filter label=nosuch
    docker rm -f stays
    docker volume prune -f | tail -1 | cut -d : -f 1
    docker system prune -f | tail -1 | cut -d : -f 1
    docker ps -aq | wc -l
    docker node ls
    docker service ls
    docker plugin ls
  `,
}
