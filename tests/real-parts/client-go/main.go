// Command client-go talks to one Kubernetes API server the way Go controllers do: typed client, paged lists,
// watches, server-side apply. What it prints depends on the outcome only, so that two runs, one direct and one
// through a gateway, can be compared by diff. It exits 0 only if everything was seen before the deadline.
//
// Modes:
//
//	list-watch   page through namespaces and pods, then watch the whole life of a ConfigMap of its own
//	crud         every verb on a ConfigMap of its own, each answer checked, no watch
//	watch-until  watch the ConfigMap --name, reconnecting as client-go's RetryWatcher does, print each value of
//	             its key "step" and end when that is "done"; somebody else does the writing
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	watchtools "k8s.io/client-go/tools/watch"
)

type options struct {
	kubeconfig, context, mode, namespace, name string
	headers                                    headers
	protobuf                                   bool
	timeout                                    time.Duration
}

func main() {
	opts := options{headers: headers{}}
	flag.StringVar(&opts.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "kubeconfig file")
	flag.StringVar(&opts.context, "context", "", "context in the kubeconfig (default: its current one)")
	flag.StringVar(&opts.mode, "mode", "list-watch", "list-watch, crud or watch-until")
	flag.StringVar(&opts.namespace, "namespace", "default", "namespace of the ConfigMap")
	flag.StringVar(&opts.name, "name", "real-parts", "the ConfigMap watch-until follows")
	flag.Var(opts.headers, "header", "`key=value` set on every request; may be repeated")
	flag.BoolVar(&opts.protobuf, "protobuf", false, "speak protobuf instead of JSON")
	flag.DurationVar(&opts.timeout, "timeout", 30*time.Second, "deadline of the whole run")
	flag.Parse()

	if err := run(opts); err != nil {
		fmt.Fprintf(os.Stderr, "client-go: %s: %v\n", opts.mode, err)
		os.Exit(1)
	}
	fmt.Println("all seen")
}

func run(opts options) error {
	ctx, cancel := context.WithTimeout(context.Background(), opts.timeout)
	defer cancel()

	client, err := connect(opts)
	if err != nil {
		return err
	}
	configMaps := client.CoreV1().ConfigMaps(opts.namespace)
	ownName := fmt.Sprintf("real-parts-%d-%d", os.Getpid(), time.Now().UnixNano())
	switch opts.mode {
	case "list-watch":
		if err := listInPages(ctx, client); err != nil {
			return err
		}
		return watchOwnConfigMap(ctx, configMaps, ownName)
	case "crud":
		return everyVerb(ctx, configMaps, ownName)
	case "watch-until":
		return watchUntilDone(ctx, configMaps, opts.name)
	default:
		return fmt.Errorf("unknown mode")
	}
}

func connect(opts options) (*kubernetes.Clientset, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: opts.kubeconfig},
		&clientcmd.ConfigOverrides{CurrentContext: opts.context},
	).ClientConfig()
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // no throttle of its own: what takes time is the other side
	config.UserAgent = "trunkline-real-parts/client-go"
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return withHeaders{opts.headers, next} })
	if opts.protobuf {
		config.ContentType = runtime.ContentTypeProtobuf
		config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	}
	return kubernetes.NewForConfig(config)
}

// listInPages lists one object a page, and compares that with the list in one piece.
func listInPages(ctx context.Context, client *kubernetes.Clientset) error {
	namespaces := func(page metav1.ListOptions) (runtime.Object, error) {
		return client.CoreV1().Namespaces().List(ctx, page)
	}
	pods := func(page metav1.ListOptions) (runtime.Object, error) {
		return client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, page)
	}
	if err := comparePages("namespaces", namespaces); err != nil {
		return err
	}
	return comparePages("pods", pods)
}

func comparePages(what string, list func(metav1.ListOptions) (runtime.Object, error)) error {
	whole, _, err := namesOf(list(metav1.ListOptions{}))
	if err != nil {
		return fmt.Errorf("list %s: %w", what, err)
	}
	var paged []string
	page := metav1.ListOptions{Limit: 1}
	for {
		names, next, err := namesOf(list(page))
		if err != nil {
			return fmt.Errorf("list %s, page %d: %w", what, len(paged)+1, err)
		}
		if len(names) > 1 {
			return fmt.Errorf("list %s: a page of limit 1 has %d", what, len(names))
		}
		paged = append(paged, names...)
		if next == "" {
			break
		}
		page.Continue = next
	}
	if !slices.Equal(whole, paged) {
		return fmt.Errorf("list %s: whole %v, in pages %v", what, whole, paged)
	}
	fmt.Printf("list %s: the same whole and in pages\n", what)
	return nil
}

func namesOf(list runtime.Object, err error) (names []string, next string, _ error) {
	switch list := list.(type) {
	case *corev1.NamespaceList:
		for _, item := range list.Items {
			names = append(names, item.Name)
		}
		next = list.Continue
	case *corev1.PodList:
		for _, item := range list.Items {
			names = append(names, item.Namespace+"/"+item.Name)
		}
		next = list.Continue
	}
	return names, next, err
}

// watchOwnConfigMap starts the watch before the object exists, so every event of its life must arrive, in order.
func watchOwnConfigMap(ctx context.Context, configMaps typedcorev1.ConfigMapInterface, name string) error {
	before, err := configMaps.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	events, err := configMaps.Watch(ctx, metav1.ListOptions{
		ResourceVersion: before.ResourceVersion,
		FieldSelector:   fields.OneTermEqualSelector("metadata.name", name).String(),
	})
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer events.Stop()
	defer discard(configMaps, name)

	steps := []struct {
		change func(context.Context, typedcorev1.ConfigMapInterface, string) error
		event  watch.EventType
		step   string
	}{
		{create, watch.Added, "created"},
		{update, watch.Modified, "updated"},
		{mergePatch, watch.Modified, "patched"},
		{serverSideApply, watch.Modified, "applied"},
		{remove, watch.Deleted, "applied"},
	}
	for _, want := range steps {
		if err := want.change(ctx, configMaps, name); err != nil {
			return err
		}
		got, err := nextEvent(ctx, events)
		if err != nil {
			return fmt.Errorf("waiting for %s of %q: %w", want.event, want.step, err)
		}
		object, ok := got.Object.(*corev1.ConfigMap)
		if !ok || got.Type != want.event || object.Data["step"] != want.step {
			return fmt.Errorf("want %s of %q, got %s of %v", want.event, want.step, got.Type, got.Object)
		}
		fmt.Printf("watch: %s %s\n", got.Type, want.step)
	}
	return nil
}

func nextEvent(ctx context.Context, events watch.Interface) (watch.Event, error) {
	select {
	case event, open := <-events.ResultChan():
		if !open {
			return event, fmt.Errorf("the watch ended")
		}
		return event, nil
	case <-ctx.Done():
		return watch.Event{}, ctx.Err()
	}
}

func everyVerb(ctx context.Context, configMaps typedcorev1.ConfigMapInterface, name string) error {
	defer discard(configMaps, name)
	steps := []struct {
		change func(context.Context, typedcorev1.ConfigMapInterface, string) error
		step   string
	}{
		{create, "created"},
		{update, "updated"},
		{mergePatch, "patched"},
		{serverSideApply, "applied"},
	}
	for _, want := range steps {
		if err := want.change(ctx, configMaps, name); err != nil {
			return err
		}
		object, err := configMaps.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("get %s: %w", want.step, err)
		}
		if object.Data["step"] != want.step {
			return fmt.Errorf("want %q, got %q", want.step, object.Data["step"])
		}
		fmt.Printf("get: %s\n", want.step)
	}

	if err := create(ctx, configMaps, name); !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create twice: want AlreadyExists, got %v", err)
	}
	fmt.Println("create twice: AlreadyExists")
	if err := staleUpdate(ctx, configMaps, name); !apierrors.IsConflict(err) {
		return fmt.Errorf("stale update: want Conflict, got %v", err)
	}
	fmt.Println("stale update: Conflict")
	if err := remove(ctx, configMaps, name); err != nil {
		return err
	}
	if _, err := configMaps.Get(ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("get after delete: want NotFound, got %v", err)
	}
	fmt.Println("get after delete: NotFound")
	return nil
}

func create(ctx context.Context, configMaps typedcorev1.ConfigMapInterface, name string) error {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"step": "created"}}
	if _, err := configMaps.Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	return nil
}

func update(ctx context.Context, configMaps typedcorev1.ConfigMapInterface, name string) error {
	object, err := configMaps.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	object.Data["step"] = "updated"
	if _, err := configMaps.Update(ctx, object, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}

func staleUpdate(ctx context.Context, configMaps typedcorev1.ConfigMapInterface, name string) error {
	object, err := configMaps.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	object.ResourceVersion = "1"
	_, err = configMaps.Update(ctx, object, metav1.UpdateOptions{})
	return err
}

func mergePatch(ctx context.Context, configMaps typedcorev1.ConfigMapInterface, name string) error {
	patch, err := json.Marshal(map[string]any{"data": map[string]string{"step": "patched"}})
	if err != nil {
		return err
	}
	if _, err := configMaps.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("patch: %w", err)
	}
	return nil
}

func serverSideApply(ctx context.Context, configMaps typedcorev1.ConfigMapInterface, name string) error {
	object := applycorev1.ConfigMap(name, "").WithData(map[string]string{"step": "applied"})
	object.Namespace = nil
	if _, err := configMaps.Apply(ctx, object, metav1.ApplyOptions{FieldManager: "real-parts", Force: true}); err != nil {
		return fmt.Errorf("server-side apply: %w", err)
	}
	return nil
}

func remove(ctx context.Context, configMaps typedcorev1.ConfigMapInterface, name string) error {
	if err := configMaps.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return nil
}

// discard leaves nothing behind when a run ends early; its own deadline, as the run's may be what ended it.
func discard(configMaps typedcorev1.ConfigMapInterface, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = configMaps.Delete(ctx, name, metav1.DeleteOptions{})
}

// watchUntilDone must not miss a step although the connection below it may break and come back.
func watchUntilDone(ctx context.Context, configMaps typedcorev1.ConfigMapInterface, name string) error {
	selector := fields.OneTermEqualSelector("metadata.name", name).String()
	listWatch := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = selector
			return configMaps.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = selector
			return configMaps.Watch(ctx, o)
		},
	}
	start, err := configMaps.List(ctx, metav1.ListOptions{FieldSelector: selector})
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	fmt.Println("watching")
	_, err = watchtools.Until(ctx, start.ResourceVersion, listWatch, func(event watch.Event) (bool, error) {
		object, ok := event.Object.(*corev1.ConfigMap)
		if !ok {
			return false, fmt.Errorf("unexpected %s: %v", event.Type, event.Object)
		}
		fmt.Printf("watch: %s %s\n", event.Type, object.Data["step"])
		return object.Data["step"] == "done", nil
	})
	return err
}

// headers is a repeatable flag of key=value.
type headers map[string]string

func (h headers) String() string { return fmt.Sprint(map[string]string(h)) }

func (h headers) Set(text string) error {
	key, value, found := strings.Cut(text, "=")
	if !found || key == "" {
		return fmt.Errorf("want key=value")
	}
	h[key] = value
	return nil
}

type withHeaders struct {
	headers headers
	next    http.RoundTripper
}

func (w withHeaders) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	for key, value := range w.headers {
		request.Header.Set(key, value)
	}
	return w.next.RoundTrip(request)
}
