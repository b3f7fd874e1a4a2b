// Flags of every kubectl v1.36.3 command: `[shorthand,]name:type[=default]`; types: b bool, s string, i int, d duration,
// n int32, l list (comma separated), m pairs (key=value), a array. Taken from what each command lists in its usage.
export const GLOBAL_FLAGS =
  'as:s as-group:a as-uid:s as-user-extra:a cache-dir:s certificate-authority:s client-certificate:s client-key:s cluster:s context:s disable-compression:b insecure-skip-tls-verify:b kubeconfig:s kuberc:s log-flush-frequency:d=5s match-server-version:b n,namespace:s password:s profile:s=none profile-output:s request-timeout:s=0 s,server:s tls-server-name:s token:s user:s username:s v,v:i=0 vmodule:s warnings-as-errors:b';

export interface CommandRow {
  flags: string;
  usage: string;
  aliases?: string;
}

/** Path of the command → flags and usage line; in the order in which kubectl registers them (it decides suggestions). */
export const COMMAND_ROWS: Record<string, CommandRow> = {
  create: {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none edit:b field-manager:s=kubectl-create f,filename:l k,kustomize:s o,output:s raw:s R,recursive:b save-config:b l,selector:s show-managed-fields:b template:s validate:s=strict windows-line-endings:b record:b',
    usage: 'kubectl create -f FILENAME',
  },
  'create clusterrole': {
    flags:
      'aggregation-rule:s allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-create non-resource-url:l o,output:s resource:l resource-name:a save-config:b show-managed-fields:b template:s validate:s=strict verb:l',
    usage: 'kubectl create clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none]',
  },
  'create clusterrolebinding': {
    flags:
      'allow-missing-template-keys:b=true clusterrole:s dry-run:s=none field-manager:s=kubectl-create group:a o,output:s save-config:b serviceaccount:a show-managed-fields:b template:s user:a validate:s=strict',
    usage:
      'kubectl create clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
  },
  'create configmap': {
    flags:
      'allow-missing-template-keys:b=true append-hash:b dry-run:s=none field-manager:s=kubectl-create from-env-file:l from-file:l from-literal:a o,output:s save-config:b show-managed-fields:b template:s validate:s=strict',
    usage: 'kubectl create configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]',
    aliases: 'cm',
  },
  'create cronjob': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-create image:s o,output:s restart:s save-config:b schedule:s show-managed-fields:b template:s validate:s=strict',
    usage: "kubectl create cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags]",
    aliases: 'cj',
  },
  'create deployment': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-create image:l o,output:s port:n=-1 r,replicas:n=1 save-config:b show-managed-fields:b template:s validate:s=strict',
    usage: 'kubectl create deployment NAME --image=image -- [COMMAND] [args...]',
    aliases: 'deploy',
  },
  'create ingress': {
    flags:
      'allow-missing-template-keys:b=true annotation:a class:s default-backend:s dry-run:s=none field-manager:s=kubectl-create o,output:s rule:a save-config:b show-managed-fields:b template:s validate:s=strict',
    usage: 'kubectl create ingress NAME --rule=host/path=service:port[,tls[=secret]]',
    aliases: 'ing',
  },
  'create job': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-create from:s image:s o,output:s save-config:b show-managed-fields:b template:s validate:s=strict',
    usage: 'kubectl create job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]',
  },
  'create namespace': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-create o,output:s save-config:b show-managed-fields:b template:s validate:s=strict',
    usage: 'kubectl create namespace NAME [--dry-run=server|client|none]',
    aliases: 'ns',
  },
  'create poddisruptionbudget': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-create max-unavailable:s min-available:s o,output:s save-config:b selector:s show-managed-fields:b template:s validate:s=strict',
    usage: 'kubectl create poddisruptionbudget NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none]',
    aliases: 'pdb',
  },
  'create priorityclass': {
    flags:
      'allow-missing-template-keys:b=true description:s dry-run:s=none field-manager:s=kubectl-create global-default:b o,output:s preemption-policy:s=PreemptLowerPriority save-config:b show-managed-fields:b template:s validate:s=strict value:n=0',
    usage: 'kubectl create priorityclass NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]',
    aliases: 'pc',
  },
  'create quota': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-create hard:s o,output:s save-config:b scopes:s show-managed-fields:b template:s validate:s=strict',
    usage: 'kubectl create quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none]',
    aliases: 'resourcequota',
  },
  'create role': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-create o,output:s resource:l resource-name:a save-config:b show-managed-fields:b template:s validate:s=strict verb:l',
    usage: 'kubectl create role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] [--dry-run=server|client|none]',
  },
  'create rolebinding': {
    flags:
      'allow-missing-template-keys:b=true clusterrole:s dry-run:s=none field-manager:s=kubectl-create group:a o,output:s role:s save-config:b serviceaccount:a show-managed-fields:b template:s user:a validate:s=strict',
    usage:
      'kubectl create rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
  },
  'create secret': { flags: '', usage: 'kubectl create secret (docker-registry | generic | tls)' },
  'create secret docker-registry': {
    flags:
      'allow-missing-template-keys:b=true append-hash:b docker-email:s docker-password:s docker-server:s=https://index.docker.io/v1/ docker-username:s dry-run:s=none field-manager:s=kubectl-create from-file:l o,output:s save-config:b show-managed-fields:b template:s validate:s=strict',
    usage:
      'kubectl create secret docker-registry NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none]',
  },
  'create secret generic': {
    flags:
      'allow-missing-template-keys:b=true append-hash:b dry-run:s=none field-manager:s=kubectl-create from-env-file:l from-file:l from-literal:a o,output:s save-config:b show-managed-fields:b template:s type:s validate:s=strict',
    usage: 'kubectl create secret generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]',
  },
  'create secret tls': {
    flags:
      'allow-missing-template-keys:b=true append-hash:b cert:s dry-run:s=none field-manager:s=kubectl-create key:s o,output:s save-config:b show-managed-fields:b template:s validate:s=strict',
    usage: 'kubectl create secret tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]',
  },
  'create service': { flags: '', usage: 'kubectl create service [flags]', aliases: 'svc' },
  'create service clusterip': {
    flags:
      'allow-missing-template-keys:b=true clusterip:s dry-run:s=none field-manager:s=kubectl-create o,output:s save-config:b show-managed-fields:b tcp:l template:s validate:s=strict',
    usage: 'kubectl create service clusterip NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none]',
  },
  'create service externalname': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none external-name:s field-manager:s=kubectl-create o,output:s save-config:b show-managed-fields:b tcp:l template:s validate:s=strict',
    usage: 'kubectl create service externalname NAME --external-name external.name [--dry-run=server|client|none]',
  },
  'create service loadbalancer': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-create o,output:s save-config:b show-managed-fields:b tcp:l template:s validate:s=strict',
    usage: 'kubectl create service loadbalancer NAME [--tcp=port:targetPort] [--dry-run=server|client|none]',
  },
  'create service nodeport': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-create node-port:i=0 o,output:s save-config:b show-managed-fields:b tcp:l template:s validate:s=strict',
    usage: 'kubectl create service nodeport NAME [--tcp=port:targetPort] [--dry-run=server|client|none]',
  },
  'create serviceaccount': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-create o,output:s save-config:b show-managed-fields:b template:s validate:s=strict',
    usage: 'kubectl create serviceaccount NAME [--dry-run=server|client|none]',
    aliases: 'sa',
  },
  'create token': {
    flags:
      'allow-missing-template-keys:b=true audience:a bound-object-kind:s bound-object-name:s bound-object-uid:s duration:d=0s o,output:s show-managed-fields:b template:s',
    usage: 'kubectl create token SERVICE_ACCOUNT_NAME',
  },
  expose: {
    flags:
      'allow-missing-template-keys:b=true cluster-ip:s dry-run:s=none external-ip:s field-manager:s=kubectl-expose f,filename:l k,kustomize:s l,labels:s load-balancer-ip:s name:s o,output:s override-type:s=merge overrides:s port:s protocol:s R,recursive:b save-config:b selector:s session-affinity:s show-managed-fields:b target-port:s template:s type:s record:b',
    usage:
      'kubectl expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type]',
  },
  run: {
    flags:
      'allow-missing-template-keys:b=true annotations:a attach:b cascade:s=background command:b detach-keys:s=ctrl-p,ctrl-q dry-run:s=none env:a expose:b field-manager:s=kubectl-run f,filename:l force:b grace-period:i=-1 image:s image-pull-policy:s k,kustomize:s l,labels:s leave-stdin-open:b o,output:s override-type:s=merge overrides:s pod-running-timeout:d=1m0s port:s privileged:b q,quiet:b R,recursive:b restart:s=Always rm:b save-config:b show-managed-fields:b i,stdin:b template:s timeout:d=0s t,tty:b wait:b record:b',
    usage:
      'kubectl run NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]',
  },
  set: { flags: '', usage: 'kubectl set SUBCOMMAND' },
  'set env': {
    flags:
      'all:b allow-missing-template-keys:b=true c,containers:s=* dry-run:s=none e,env:a field-manager:s=kubectl-set f,filename:l from:s keys:l k,kustomize:s list:b local:b o,output:s overwrite:b=true prefix:s R,recursive:b resolve:b l,selector:s show-managed-fields:b template:s',
    usage: 'kubectl set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N',
  },
  'set image': {
    flags:
      'all:b allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-set f,filename:l k,kustomize:s local:b o,output:s R,recursive:b l,selector:s show-managed-fields:b template:s record:b',
    usage: 'kubectl set image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N',
  },
  'set resources': {
    flags:
      'all:b allow-missing-template-keys:b=true c,containers:s=* dry-run:s=none field-manager:s=kubectl-set f,filename:l k,kustomize:s limits:s local:b o,output:s R,recursive:b requests:s l,selector:s show-managed-fields:b template:s record:b',
    usage: 'kubectl set resources (-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS]',
  },
  'set selector': {
    flags:
      'all:b allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-set f,filename:l local:b o,output:s R,recursive:b=true resource-version:s show-managed-fields:b template:s record:b',
    usage: 'kubectl set selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]',
  },
  'set serviceaccount': {
    flags:
      'all:b allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-set f,filename:l k,kustomize:s local:b o,output:s R,recursive:b show-managed-fields:b template:s record:b',
    usage: 'kubectl set serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT',
    aliases: 'sa',
  },
  'set subject': {
    flags:
      'all:b allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-set f,filename:l group:a k,kustomize:s local:b o,output:s R,recursive:b l,selector:s serviceaccount:a show-managed-fields:b template:s user:a',
    usage:
      'kubectl set subject (-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
  },
  explain: {
    flags: 'api-version:s o,output:s=plaintext R,recursive:b',
    usage: 'kubectl explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2]',
  },
  get: {
    flags:
      'A,all-namespaces:b allow-missing-template-keys:b=true chunk-size:i=500 field-selector:s f,filename:l ignore-not-found:b k,kustomize:s L,label-columns:l no-headers:b o,output:s output-watch-events:b raw:s R,recursive:b l,selector:s server-print:b=true show-kind:b show-labels:b show-managed-fields:b sort-by:s subresource:s template:s w,watch:b watch-only:b',
    usage:
      'kubectl get [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file|custom-columns|custom-columns-file|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]',
  },
  edit: {
    flags:
      'allow-missing-template-keys:b=true field-manager:s=kubectl-edit f,filename:l k,kustomize:s o,output:s output-patch:b R,recursive:b save-config:b show-managed-fields:b subresource:s template:s validate:s=strict windows-line-endings:b record:b',
    usage: 'kubectl edit (RESOURCE/NAME | -f FILENAME)',
  },
  delete: {
    flags:
      'all:b A,all-namespaces:b cascade:s=background dry-run:s=none field-selector:s f,filename:l force:b grace-period:i=-1 ignore-not-found:b i,interactive:b k,kustomize:s now:b o,output:s raw:s R,recursive:b l,selector:s timeout:d=0s wait:b=true',
    usage: 'kubectl delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])',
  },
  rollout: { flags: '', usage: 'kubectl rollout SUBCOMMAND' },
  'rollout history': {
    flags: 'allow-missing-template-keys:b=true f,filename:l k,kustomize:s o,output:s R,recursive:b revision:i=0 l,selector:s show-managed-fields:b template:s',
    usage: 'kubectl rollout history (TYPE NAME | TYPE/NAME) [flags]',
  },
  'rollout pause': {
    flags:
      'allow-missing-template-keys:b=true field-manager:s=kubectl-rollout f,filename:l k,kustomize:s o,output:s R,recursive:b l,selector:s show-managed-fields:b template:s',
    usage: 'kubectl rollout pause RESOURCE',
  },
  'rollout restart': {
    flags:
      'allow-missing-template-keys:b=true field-manager:s=kubectl-rollout f,filename:l k,kustomize:s o,output:s R,recursive:b l,selector:s show-managed-fields:b template:s',
    usage: 'kubectl rollout restart RESOURCE',
  },
  'rollout resume': {
    flags:
      'allow-missing-template-keys:b=true field-manager:s=kubectl-rollout f,filename:l k,kustomize:s o,output:s R,recursive:b l,selector:s show-managed-fields:b template:s',
    usage: 'kubectl rollout resume RESOURCE',
  },
  'rollout status': {
    flags: 'f,filename:l k,kustomize:s R,recursive:b revision:i=0 l,selector:s timeout:d=0s w,watch:b=true',
    usage: 'kubectl rollout status (TYPE NAME | TYPE/NAME) [flags]',
  },
  'rollout undo': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none f,filename:l k,kustomize:s o,output:s R,recursive:b l,selector:s show-managed-fields:b template:s to-revision:i=0',
    usage: 'kubectl rollout undo (TYPE NAME | TYPE/NAME) [flags]',
  },
  scale: {
    flags:
      'all:b allow-missing-template-keys:b=true current-replicas:i=-1 dry-run:s=none f,filename:l k,kustomize:s o,output:s R,recursive:b replicas:i=0 resource-version:s l,selector:s show-managed-fields:b template:s timeout:d=0s record:b',
    usage: 'kubectl scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)',
  },
  autoscale: {
    flags:
      'allow-missing-template-keys:b=true cpu:s dry-run:s=none field-manager:s=kubectl-autoscale f,filename:l k,kustomize:s max:n=-1 memory:s min:n=-1 name:s o,output:s R,recursive:b save-config:b show-managed-fields:b template:s record:b cpu-percent:n=-1',
    usage: 'kubectl autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [--memory=MEMORY]',
  },
  certificate: { flags: '', usage: 'kubectl certificate SUBCOMMAND' },
  'certificate approve': {
    flags: 'allow-missing-template-keys:b=true f,filename:l force:b k,kustomize:s o,output:s R,recursive:b show-managed-fields:b template:s',
    usage: 'kubectl certificate approve (-f FILENAME | NAME)',
  },
  'certificate deny': {
    flags: 'allow-missing-template-keys:b=true f,filename:l force:b k,kustomize:s o,output:s R,recursive:b show-managed-fields:b template:s',
    usage: 'kubectl certificate deny (-f FILENAME | NAME)',
  },
  'cluster-info': { flags: '', usage: 'kubectl cluster-info [flags]' },
  'cluster-info dump': {
    flags:
      'A,all-namespaces:b allow-missing-template-keys:b=true namespaces:l o,output:s=json output-directory:s pod-running-timeout:d=20s show-managed-fields:b template:s',
    usage: 'kubectl cluster-info dump [flags]',
  },
  top: { flags: '', usage: 'kubectl top [flags]' },
  'top node': {
    flags: 'no-headers:b l,selector:s show-capacity:b show-swap:b sort-by:s use-protocol-buffers:b=true',
    usage: 'kubectl top node [NAME | -l label]',
    aliases: 'nodes no',
  },
  'top pod': {
    flags: 'A,all-namespaces:b containers:b field-selector:s no-headers:b l,selector:s show-swap:b sort-by:s sum:b use-protocol-buffers:b=true',
    usage: 'kubectl top pod [NAME | -l label]',
    aliases: 'pods po',
  },
  cordon: { flags: 'dry-run:s=none l,selector:s', usage: 'kubectl cordon NODE' },
  uncordon: { flags: 'dry-run:s=none l,selector:s', usage: 'kubectl uncordon NODE' },
  drain: {
    flags:
      'chunk-size:i=500 delete-emptydir-data:b disable-eviction:b dry-run:s=none force:b grace-period:i=-1 ignore-daemonsets:b pod-selector:s l,selector:s skip-wait-for-delete-timeout:i=0 timeout:d=0s',
    usage: 'kubectl drain NODE',
  },
  taint: {
    flags:
      'all:b allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-taint o,output:s overwrite:b l,selector:s show-managed-fields:b template:s validate:s=strict',
    usage: 'kubectl taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N',
  },
  describe: {
    flags: 'A,all-namespaces:b chunk-size:i=500 f,filename:l k,kustomize:s R,recursive:b l,selector:s show-events:b=true',
    usage: 'kubectl describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)',
  },
  logs: {
    flags:
      'all-containers:b all-pods:b c,container:s f,follow:b ignore-errors:b insecure-skip-tls-verify-backend:b limit-bytes:i=0 max-log-requests:i=5 pod-running-timeout:d=20s prefix:b p,previous:b l,selector:s since:d=0s since-time:s tail:i=-1 timestamps:b',
    usage: 'kubectl logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]',
  },
  attach: {
    flags: 'c,container:s detach-keys:s=ctrl-p,ctrl-q pod-running-timeout:d=1m0s q,quiet:b i,stdin:b t,tty:b',
    usage: 'kubectl attach (POD | TYPE/NAME) -c CONTAINER',
  },
  exec: {
    flags: 'c,container:s f,filename:l pod-running-timeout:d=1m0s q,quiet:b i,stdin:b t,tty:b',
    usage: 'kubectl exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]',
  },
  'port-forward': {
    flags: 'address:l=localhost pod-running-timeout:d=1m0s',
    usage: 'kubectl port-forward TYPE/NAME [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]',
  },
  proxy: {
    flags:
      'accept-hosts:s=^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$ accept-paths:s=^.* address:s=127.0.0.1 api-prefix:s=/ append-server-path:b disable-filter:b keepalive:d=0s p,port:i=8001 reject-methods:s=^$ reject-paths:s=^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach u,unix-socket:s w,www:s P,www-prefix:s=/static/',
    usage: 'kubectl proxy [--port=PORT] [--www=static-dir] [--www-prefix=prefix] [--api-prefix=prefix]',
  },
  cp: { flags: 'c,container:s no-preserve:b retries:i=0', usage: 'kubectl cp <file-spec-src> <file-spec-dest>' },
  auth: { flags: '', usage: 'kubectl auth [flags]' },
  'auth can-i': {
    flags: 'A,all-namespaces:b list:b no-headers:b q,quiet:b subresource:s',
    usage: 'kubectl auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL]',
  },
  'auth reconcile': {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none f,filename:l k,kustomize:s o,output:s R,recursive:b remove-extra-permissions:b remove-extra-subjects:b show-managed-fields:b template:s',
    usage: 'kubectl auth reconcile -f FILENAME',
  },
  'auth whoami': { flags: 'allow-missing-template-keys:b=true o,output:s show-managed-fields:b template:s', usage: 'kubectl auth whoami' },
  debug: {
    flags:
      'arguments-only:b attach:b c,container:s copy-to:s custom:s env:m f,filename:l image:s image-pull-policy:s keep-annotations:b keep-init-containers:b=true keep-labels:b keep-liveness:b keep-readiness:b keep-startup:b profile:s=general q,quiet:b replace:b same-node:b set-image:m share-processes:b=true i,stdin:b target:s t,tty:b',
    usage: 'kubectl debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]',
  },
  events: {
    flags:
      'A,all-namespaces:b allow-missing-template-keys:b=true chunk-size:i=500 for:s no-headers:b o,output:s show-managed-fields:b template:s types:l w,watch:b',
    usage:
      'kubectl events [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]',
  },
  diff: {
    flags:
      'concurrency:i=1 field-manager:s=kubectl-client-side-apply f,filename:l force-conflicts:b k,kustomize:s prune:b prune-allowlist:a R,recursive:b l,selector:s server-side:b show-managed-fields:b show-secrets:b',
    usage: 'kubectl diff -f FILENAME',
  },
  apply: {
    flags:
      'all:b allow-missing-template-keys:b=true cascade:s=background dry-run:s=none field-manager:s=kubectl-client-side-apply f,filename:l force:b force-conflicts:b grace-period:i=-1 k,kustomize:s openapi-patch:b=true o,output:s overwrite:b=true prune:b prune-allowlist:a R,recursive:b l,selector:s server-side:b show-managed-fields:b subresource:s template:s timeout:d=0s validate:s=strict wait:b record:b',
    usage: 'kubectl apply (-f FILENAME | -k DIRECTORY)',
  },
  'apply edit-last-applied': {
    flags:
      'allow-missing-template-keys:b=true field-manager:s=kubectl-client-side-apply f,filename:l k,kustomize:s o,output:s R,recursive:b show-managed-fields:b template:s validate:s=strict windows-line-endings:b record:b',
    usage: 'kubectl apply edit-last-applied (RESOURCE/NAME | -f FILENAME)',
  },
  'apply set-last-applied': {
    flags: 'allow-missing-template-keys:b=true create-annotation:b dry-run:s=none f,filename:l o,output:s show-managed-fields:b template:s',
    usage: 'kubectl apply set-last-applied -f FILENAME',
  },
  'apply view-last-applied': {
    flags: 'all:b f,filename:l k,kustomize:s o,output:s=yaml R,recursive:b l,selector:s',
    usage: 'kubectl apply view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)',
  },
  patch: {
    flags:
      'allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-patch f,filename:l k,kustomize:s local:b o,output:s p,patch:s patch-file:s R,recursive:b show-managed-fields:b subresource:s template:s type:s=strategic record:b',
    usage: 'kubectl patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]',
  },
  replace: {
    flags:
      'allow-missing-template-keys:b=true cascade:s=background dry-run:s=none field-manager:s=kubectl-replace f,filename:l force:b grace-period:i=-1 k,kustomize:s o,output:s raw:s R,recursive:b save-config:b show-managed-fields:b subresource:s template:s timeout:d=0s validate:s=strict wait:b record:b',
    usage: 'kubectl replace -f FILENAME',
  },
  wait: {
    flags:
      'all:b A,all-namespaces:b allow-missing-template-keys:b=true field-selector:s f,filename:l for:a local:b o,output:s R,recursive:b=true l,selector:s show-managed-fields:b template:s timeout:d=30s',
    usage:
      "kubectl wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
  },
  kustomize: {
    flags:
      'as-current-user:b enable-alpha-plugins:b enable-helm:b e,env:l helm-api-versions:l helm-command:s=helm helm-debug:b helm-kube-version:s load-restrictor:s=LoadRestrictionsRootOnly mount:l network:b network-name:s=bridge o,output:s',
    usage: 'kubectl kustomize DIR [flags]',
  },
  label: {
    flags:
      'all:b A,all-namespaces:b allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-label field-selector:s f,filename:l k,kustomize:s list:b local:b o,output:s overwrite:b R,recursive:b resource-version:s l,selector:s show-managed-fields:b template:s record:b',
    usage: 'kubectl label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]',
  },
  annotate: {
    flags:
      'all:b A,all-namespaces:b allow-missing-template-keys:b=true dry-run:s=none field-manager:s=kubectl-annotate field-selector:s f,filename:l k,kustomize:s list:b local:b o,output:s overwrite:b R,recursive:b resource-version:s l,selector:s show-managed-fields:b template:s record:b',
    usage: 'kubectl annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]',
  },
  completion: { flags: '', usage: 'kubectl completion SHELL' },
  'api-resources': {
    flags: 'api-group:s cached:b categories:l namespaced:b=true no-headers:b o,output:s show-managed-fields:b sort-by:s verbs:l',
    usage: 'kubectl api-resources [flags]',
  },
  'api-versions': { flags: '', usage: 'kubectl api-versions' },
  config: { flags: '', usage: 'kubectl config SUBCOMMAND' },
  'config current-context': { flags: '', usage: 'kubectl config current-context [flags]' },
  'config delete-cluster': { flags: '', usage: 'kubectl config delete-cluster NAME' },
  'config delete-context': { flags: '', usage: 'kubectl config delete-context NAME' },
  'config delete-user': { flags: '', usage: 'kubectl config delete-user NAME' },
  'config get-clusters': { flags: '', usage: 'kubectl config get-clusters [flags]' },
  'config get-contexts': { flags: 'no-headers:b o,output:s', usage: 'kubectl config get-contexts [(-o|--output=)name)]' },
  'config get-users': { flags: '', usage: 'kubectl config get-users [flags]' },
  'config rename-context': { flags: '', usage: 'kubectl config rename-context CONTEXT_NAME NEW_NAME' },
  'config set': { flags: 'set-raw-bytes:b', usage: 'kubectl config set PROPERTY_NAME PROPERTY_VALUE' },
  'config set-cluster': {
    flags: 'certificate-authority:s embed-certs:b insecure-skip-tls-verify:b proxy-url:s server:s tls-server-name:s',
    usage:
      'kubectl config set-cluster NAME [--server=server] [--certificate-authority=path/to/certificate/authority] [--insecure-skip-tls-verify=true] [--tls-server-name=example.com]',
  },
  'config set-context': {
    flags: 'cluster:s current:b n,namespace:s user:s',
    usage: 'kubectl config set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]',
  },
  'config set-credentials': {
    flags:
      'auth-provider:s auth-provider-arg:a client-certificate:s client-key:s embed-certs:b exec-api-version:s exec-arg:a exec-command:s exec-env:a exec-interactive-mode:s exec-provide-cluster-info:b password:s token:s username:s',
    usage:
      'kubectl config set-credentials NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] [--password=basic_password] [--auth-provider=provider_name] [--auth-provider-arg=key=value] [--exec-command=exec_command] [--exec-api-version=exec_api_version] [--exec-arg=arg] [--exec-env=key=value]',
  },
  'config unset': { flags: '', usage: 'kubectl config unset PROPERTY_NAME' },
  'config use-context': { flags: '', usage: 'kubectl config use-context CONTEXT_NAME', aliases: 'use' },
  'config view': {
    flags: 'allow-missing-template-keys:b=true flatten:b merge:b=true minify:b o,output:s=yaml raw:b show-managed-fields:b template:s',
    usage: 'kubectl config view [flags]',
  },
  kuberc: { flags: '', usage: 'kubectl kuberc SUBCOMMAND' },
  'kuberc set': {
    flags: 'allowlist-entry:a appendarg:a command:s kuberc:s name:s option:a overwrite:b policy:s prependarg:a section:s',
    usage: 'kubectl kuberc set --section (defaults|aliases) --command COMMAND',
  },
  'kuberc view': { flags: 'allow-missing-template-keys:b=true kuberc:s o,output:s=yaml show-managed-fields:b template:s', usage: 'kubectl kuberc view' },
  plugin: { flags: '', usage: 'kubectl plugin [flags]' },
  'plugin list': { flags: 'name-only:b', usage: 'kubectl plugin list [flags]' },
  version: { flags: 'client:b o,output:s', usage: 'kubectl version [flags]' },
  options: { flags: '', usage: 'kubectl options' },
  alpha: { flags: '', usage: 'kubectl alpha' },
};
