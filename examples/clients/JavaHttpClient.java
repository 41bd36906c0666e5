// Java's java.net.http.HttpClient: `usual` as it comes, `right` with a timeout and a loop.
//
// packages: openjdk-17-jdk-headless (Debian)
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

final class JavaHttpClient {
    public static void main(String[] arguments) throws InterruptedException {
        Work.right = arguments.length > 0 && arguments[0].equals("right");
        HttpClient client = HttpClient.newHttpClient();
        Work.Send once = (method, url, fields, content) -> {
            var request = HttpRequest.newBuilder(URI.create(url));
            fields.forEach(request::header);
            request.method(method, content == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(content));
            if (Work.right) {
                request.timeout(Duration.ofSeconds(5));
            }
            var answer = client.send(request.build(), BodyHandlers.ofString());
            return new Work.Answer(
                    answer.statusCode(), name -> answer.headers().firstValue(name).orElse(null), answer.body());
        };
        Work.run(Work.right ? Work.persist(once) : once, once);
    }
}
