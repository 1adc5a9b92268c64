/* What Java's TLS client makes of a server: reads "port host roots.pem" lines, answers "ok" or "no WHY". */
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public class JavaClient {
    static SSLContext trusting(String roots) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream in = new FileInputStream(roots)) {
            int n = 0;
            for (Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry("root" + n++, c);
            }
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    static void ask(int port, String host, String roots) throws Exception {
        try (Socket raw = new Socket()) {
            raw.connect(new InetSocketAddress("127.0.0.1", port), 10000);
            raw.setSoTimeout(10000);
            try (SSLSocket s = (SSLSocket) trusting(roots).getSocketFactory().createSocket(raw, host, port, true)) {
                SSLParameters p = s.getSSLParameters();
                p.setEndpointIdentificationAlgorithm("HTTPS");
                s.setSSLParameters(p);
                s.startHandshake();
            }
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] word = line.split(" ");
            try {
                ask(Integer.parseInt(word[0]), word[1], word[2]);
                System.out.println("ok");
            } catch (Exception e) {
                String why = e.getMessage();
                for (Throwable t = e; t != null; t = t.getCause()) {
                    why = t.getMessage() != null ? t.getMessage() : why;
                }
                System.out.println("no " + String.valueOf(why).replace('\n', ' '));
            }
        }
    }
}
