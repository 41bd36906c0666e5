// Apache HttpClient 5: `usual` as it comes, `right` with timeouts and a loop in place of its retries.
//
// packages: openjdk-17-jdk-headless, libhttpclient5-java (Debian)
// class path: /usr/share/java/httpclient5.jar:/usr/share/java/httpcore5.jar:/usr/share/java/httpcore5-h2.jar:/usr/share/java/slf4j-api.jar
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ParseException;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.support.ClassicRequestBuilder;

final class ApacheHttpClient {
    public static void main(String[] arguments) throws InterruptedException {
        Work.right = arguments.length > 0 && arguments[0].equals("right");
        var settings = RequestConfig.custom().setResponseTimeout(5, TimeUnit.SECONDS).build();
        var client = Work.right
                ? HttpClients.custom().setDefaultRequestConfig(settings).disableAutomaticRetries().build()
                : HttpClients.createDefault();
        Work.Send once = (method, url, fields, content) -> {
            var request = ClassicRequestBuilder.create(method).setUri(url);
            fields.forEach(request::setHeader);
            if (content != null) {
                request.setEntity(new ByteArrayEntity(content, null));
            }
            return client.execute(request.build(), answer -> {
                String text;
                try {
                    text = answer.getEntity() == null ? "" : EntityUtils.toString(answer.getEntity());
                } catch (ParseException error) {
                    throw new IOException(error);
                }
                return new Work.Answer(answer.getCode(), name -> {
                    var field = answer.getFirstHeader(name);
                    return field == null ? null : field.getValue();
                }, text);
            });
        };
        Work.run(Work.right ? Work.persist(once) : once, once);
    }
}
