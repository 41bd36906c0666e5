// OkHttp: `usual` as it comes, `right` with a loop.
//
// packages: openjdk-17-jdk-headless, libokhttp-java (Debian)
// class path: /usr/share/java/okhttp.jar:/usr/share/java/okio.jar
import java.util.concurrent.TimeUnit;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;

final class OkHttp {
    public static void main(String[] arguments) throws InterruptedException {
        Work.right = arguments.length > 0 && arguments[0].equals("right");
        OkHttpClient client = Work.right
                // Its own attempts have no pauses, so the loop makes all of them.
                ? new OkHttpClient.Builder().retryOnConnectionFailure(false).callTimeout(5, TimeUnit.SECONDS).build()
                : new OkHttpClient();
        Work.Send once = (method, url, fields, content) -> {
            var request = new Request.Builder().url(url);
            fields.forEach(request::header);
            String type = fields.get("Content-Type");
            request.method(method, content == null ? null : RequestBody.create(MediaType.get(type == null ? "*/*" : type), content));
            try (var answer = client.newCall(request.build()).execute()) {
                return new Work.Answer(answer.code(), answer::header, answer.body().string());
            }
        };
        Work.run(Work.right ? Work.persist(once) : once, once);
    }
}
